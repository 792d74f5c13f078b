import { Button } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useState } from "react";
import { download, toCsv } from "./csv";
import { failToast } from "./toast";

interface Props {
  /** The file's name, without its end. */
  name: string;
  /** The rows, or what fetches those that are not loaded yet. */
  rows: readonly object[] | (() => Promise<readonly object[]>);
  /** What is in it, for people who do not see the table beside it. */
  what?: string;
  label?: string;
}

/** A button that saves the rows of a table for a spreadsheet. */
export function Csv({ name, rows, what, label = "CSV" }: Props) {
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    try {
      download(`${name}.csv`, toCsv(typeof rows === "function" ? await rows() : rows), "text/csv;charset=utf-8");
    } catch (error) {
      failToast(`Could not save ${what ?? name}`, error);
    }
    setBusy(false);
  };
  return (
    <Button style={{ flex: "none" }} variant="default" size="compact-xs" loading={busy} disabled={typeof rows !== "function" && rows.length === 0} leftSection={<IconDownload size={13} aria-hidden />} aria-label={`Save ${what ?? name} as CSV`}
      onClick={() => void save()}>{label}</Button>
  );
}
