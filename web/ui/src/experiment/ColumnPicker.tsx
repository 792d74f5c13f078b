import { Button, Checkbox, Popover, ScrollArea, TextInput } from "@mantine/core";
import { IconColumns3 } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import type { KeyColumn } from "./columns";
import classes from "./experiment.module.css";

const shown = 300;

interface Props {
  all: readonly KeyColumn[];
  chosen: readonly KeyColumn[];
  /** Undefined goes back to those that are usual. */
  onChange: (columns: readonly KeyColumn[] | undefined) => void;
}

/** Which metrics, params and tags are columns. */
export function ColumnPicker({ all, chosen, onChange }: Props) {
  const [text, setText] = useState("");
  const on = useMemo(() => new Set(chosen.map((c) => c.id)), [chosen]);
  const fitting = useMemo(() => all.filter((c) => `${c.kind}.${c.key}`.toLowerCase().includes(text.toLowerCase())), [all, text]);
  const toggle = (column: KeyColumn): void => onChange(on.has(column.id) ? chosen.filter((c) => c.id !== column.id) : all.filter((c) => on.has(c.id) || c.id === column.id));
  return (
    <Popover width={340} position="bottom-end" shadow="md" trapFocus>
      <Popover.Target><Button variant="default" size="xs" leftSection={<IconColumns3 size={14} aria-hidden />}>Columns {chosen.length} of {all.length}</Button></Popover.Target>
      <Popover.Dropdown>
        <TextInput size="xs" aria-label="Column contains" placeholder="Column contains" value={text} onChange={(event) => setText(event.currentTarget.value)} data-autofocus />
        <div className={classes.pickers}>
          <Button variant="subtle" size="compact-xs" onClick={() => { const more = new Set([...on, ...fitting.map((c) => c.id)]); onChange(all.filter((c) => more.has(c.id))); }}>All {fitting.length}</Button>
          <Button variant="subtle" size="compact-xs" onClick={() => { const gone = new Set(fitting.map((c) => c.id)); onChange(chosen.filter((c) => !gone.has(c.id))); }}>None</Button>
          <Button variant="subtle" size="compact-xs" onClick={() => onChange(undefined)}>Usual</Button>
        </div>
        <ScrollArea.Autosize mah={360} type="auto">
          {fitting.slice(0, shown).map((c) => <Checkbox key={c.id} size="xs" my={6} checked={on.has(c.id)} onChange={() => toggle(c)} label={<span className={classes.pick}><span className="dim">{c.kind}.</span>{c.key}</span>} />)}
          {fitting.length > shown && <p className="dim">And {fitting.length - shown} more: type a part of the name.</p>}
          {fitting.length === 0 && <p className="dim">No column has such a name.</p>}
        </ScrollArea.Autosize>
      </Popover.Dropdown>
    </Popover>
  );
}
