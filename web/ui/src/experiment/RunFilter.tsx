import { Autocomplete, Button } from "@mantine/core";
import { useMemo, useRef, useState } from "react";
import { useKeys } from "../kit/keys";
import { completions } from "./complete";
import classes from "./experiment.module.css";

interface Props {
  text: string;
  fields: readonly string[];
  busy: boolean;
  onAsk: (text: string) => void;
}

/** A filter in MLflow's grammar that says what can come next. Enter asks. */
export function RunFilter({ text, fields, busy, onAsk }: Props) {
  const [value, setValue] = useState(text);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const next = useMemo(() => completions(value, fields), [value, fields]);
  useKeys({ "/": () => input.current?.focus() });
  return (
    <form className={classes.filter} role="search" aria-label="Filter runs" onSubmit={(event) => { event.preventDefault(); onAsk(value.trim()); }}>
      <Autocomplete ref={input} size="xs" style={{ flex: 1 }} aria-label="Filter" placeholder="metrics.accuracy > 0.9 AND params.optimizer = 'adam'" value={value} onChange={setValue} data={next} filter={({ options }) => options} dropdownOpened={open && next.length > 0} onDropdownOpen={() => setOpen(true)} onDropdownClose={() => setOpen(false)} onOptionSubmit={() => requestAnimationFrame(() => setOpen(true))} limit={50} maxDropdownHeight={320} spellCheck={false} classNames={{ input: "mono" }} />
      <Button type="submit" size="xs" variant="default" loading={busy}>Filter</Button>
    </form>
  );
}
