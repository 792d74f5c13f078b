import { ActionIcon, Button, TextInput } from "@mantine/core";
import { IconPlus, IconX } from "@tabler/icons-react";
import { useState } from "react";
import { Expression } from "./Expression";
import classes from "./integration.module.css";

interface Props {
  /** "label" or "annotation". */
  what: string;
  value: Readonly<Record<string, string>>;
  onChange: (value: Record<string, string>) => void;
  paths: readonly string[];
  errors: (name: string) => string | undefined;
}

type Row = [name: string, expression: string];

const toRecord = (rows: readonly Row[]): Record<string, string> => Object.fromEntries(rows.filter(([name]) => name !== ""));

/** Names with an expression each. A row without a name is kept here until it has one. */
export function PairsEditor({ what, value, onChange, paths, errors }: Props) {
  const [rows, setRows] = useState<Row[]>(() => Object.entries(value));
  if (JSON.stringify(toRecord(rows)) !== JSON.stringify(value)) setRows(Object.entries(value)); // changed by other means
  const put = (next: Row[]): void => {
    setRows(next);
    onChange(toRecord(next));
  };
  const edit = (at: number, row: Row): void => put(rows.map((old, i) => (i === at ? row : old)));
  return (
    <div className={classes.fields} role="group" aria-label={`Further ${what}s`}>
      {rows.map(([name, expression], i) => (
        <div key={i} className={classes.pair}>
          <TextInput size="xs" placeholder={what} aria-label={`Name of ${what} ${i + 1}`} value={name} error={rows.some(([other], j) => j < i && other === name && name !== "") ? "twice" : undefined} onChange={(event) => edit(i, [event.currentTarget.value, expression])} />
          <Expression label={`Expression of ${what} ${name || i + 1}`} value={expression} placeholder="expression" paths={paths} error={errors(name)} onChange={(text) => edit(i, [name, text])} />
          <ActionIcon variant="subtle" color="gray" size={30} aria-label={`Remove ${what} ${name || i + 1}`} onClick={() => put(rows.filter((_, j) => j !== i))}><IconX size={14} /></ActionIcon>
        </div>
      ))}
      <div><Button variant="subtle" color="gray" size="compact-xs" leftSection={<IconPlus size={13} />} onClick={() => setRows([...rows, ["", ""]])}>Add {what}</Button></div>
    </div>
  );
}
