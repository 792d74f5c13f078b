import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { download, toCsv } from "./csv";

interface Props {
  /** The file's name, without its end. */
  name: string;
  rows: readonly object[];
  /** What is in it, for people who do not see the table beside it. */
  what?: string;
  label?: string;
}

/** A button that saves the rows of a table for a spreadsheet. */
export function Csv({ name, rows, what, label = "CSV" }: Props) {
  return (
    <Button style={{ flex: "none" }} variant="default" size="compact-xs" disabled={rows.length === 0} leftSection={<IconDownload size={13} aria-hidden />} aria-label={`Save ${what ?? name} as CSV`}
      onClick={() => download(`${name}.csv`, toCsv(rows), "text/csv;charset=utf-8")}>{label}</Button>
  );
}
