import { Autocomplete, Button } from "@mantine/core";
import { useMemo, useRef, useState } from "react";
import { useKeys } from "../kit/keys";
import { completions } from "./complete";
import classes from "./experiment.module.css";

interface Props {
  text: string;
  /** What is filtered, such as runs. */
  what: string;
  example: string;
  fields: readonly string[];
  /** The values that a field can have, where they are few. */
  values: Readonly<Record<string, readonly string[]>>;
  busy: boolean;
  onAsk: (text: string) => void;
}

/** A filter in MLflow's grammar that says what can come next. Enter asks. */
export function RunFilter({ text, what, example, fields, values, busy, onAsk }: Props) {
  const [value, setValue] = useState(text);
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const next = useMemo(() => completions(value, fields, values), [value, fields, values]);
  useKeys({ "/": () => input.current?.focus() });
  return (
    <form className={classes.filter} role="search" aria-label={`Filter ${what}`} onSubmit={(event) => { event.preventDefault(); onAsk(value.trim()); }}>
      <Autocomplete ref={input} size="xs" style={{ flex: 1 }} aria-label="Filter" placeholder={example} spellCheck={false} classNames={{ input: "mono" }}
        value={value} onChange={setValue} data={next} filter={({ options }) => options} limit={50} maxDropdownHeight={320}
        dropdownOpened={open && next.length > 0} onDropdownOpen={() => setOpen(true)} onDropdownClose={() => setOpen(false)} onOptionSubmit={() => requestAnimationFrame(() => setOpen(true))} />
      <Button type="submit" size="xs" variant="default" loading={busy}>Filter</Button>
    </form>
  );
}
