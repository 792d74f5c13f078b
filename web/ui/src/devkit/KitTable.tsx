import { createColumnHelper } from "@tanstack/react-table";
import { useMemo, useState } from "react";
import { severities, type Severity } from "../api/types";
import { DataTable, type Column } from "../kit/DataTable";
import { SeverityMark } from "../kit/Marks";

interface Row {
  id: string;
  severity: Severity;
}

const column = createColumnHelper<Row>();
const columns: Column<Row>[] = [
  column.accessor("severity", { header: "Severity", meta: { width: 120, sort: "severity" }, cell: (c) => <SeverityMark severity={c.row.original.severity} /> }),
  column.accessor("id", { header: "Name", cell: (c) => <a href={`#${c.row.original.id}`}>{c.row.original.id}</a> }),
  column.display({ id: "n", header: "Number", meta: { width: 120, right: true }, cell: (c) => (c.row.index * 7919).toLocaleString("en-US") }),
];

/** A table of 10,000 rows: sorted, selected, dimmed, active. */
export function KitTable() {
  const rows = useMemo(() => Array.from({ length: 10_000 }, (_, i): Row => ({ id: `row ${i + 1}`, severity: severities[i % 5] ?? "none" })), []);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set(["row 2"]));
  return <DataTable label="Rows of the kit" rows={rows} columns={columns} rowId={(r) => r.id} rowName={(r) => r.id} sort="-severity" onSort={() => undefined} selected={selected} onSelect={setSelected} active="row 3" dimmed={(r) => r.id === "row 4"} maxHeight="260px" />;
}
