import { UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconAlertTriangle, IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { DataTable, type Column } from "../kit/DataTable";
import { plural } from "../kit/numbers";
import classes from "./trace.module.css";
import { sayTook, type Row } from "./tree";

const column = createColumnHelper<Row>();
const indent = 16;
const deepest = 12;

function Name({ row, onFold }: { row: Row; onFold: (id: string) => void }) {
  const { span, depth, below, folded } = row;
  const Icon = folded ? IconChevronRight : IconChevronDown;
  return (
    <span className={classes.name} style={{ paddingLeft: Math.min(depth, deepest) * indent }}>
      {below > 0 ? <UnstyledButton data-above className={classes.fold} aria-expanded={!folded} aria-label={`${plural(below, "span")} below ${span.name}`} onClick={() => onFold(span.id)}><Icon size={14} aria-hidden /></UnstyledButton> : <span className={classes.fold} />}
      <Link to="." replace search={(old) => ({ ...old, span: span.id })} title={span.name}>{span.name || span.id}</Link>
      {span.status === "ERROR" && <IconAlertTriangle size={14} className={classes.error} aria-label="error" />}
      {span.kind && <span className="dim">{span.kind.toLowerCase().replaceAll("_", " ")}</span>}
    </span>
  );
}

function Bar({ row: { span }, length }: { row: Row; length: number }) {
  const part = (ms: number): string => `${length > 0 ? (100 * ms) / length : 0}%`;
  return <span className={classes.lane} aria-hidden><span className={classes.stretch} data-error={span.status === "ERROR" || undefined} style={{ left: part(span.start), width: part(span.took ?? Math.max(0, length - span.start)) }} /></span>;
}

interface Props { rows: readonly Row[]; length: number; chosen: string | undefined; onChoose: (id: string) => void; onFold: (id: string) => void }

/** The spans under each other, and when each was. */
export function SpanTable({ rows, length, chosen, onChoose, onFold }: Props) {
  const narrow = useMediaQuery("(max-width: 760px)");
  const columns = useMemo((): Column<Row>[] => [
    column.display({ id: "name", header: "Span", cell: (c) => <Name row={c.row.original} onFold={onFold} /> }),
    column.display({ id: "took", header: "Took", meta: { width: 84, right: true }, cell: ({ row: { original: { span } } }) => (span.took === undefined ? <span className="dim" title="Its end was not told.">open</span> : sayTook(span.took)) }),
    ...(narrow ? [] : [column.display({ id: "when", header: `0 to ${sayTook(length)}`, meta: { width: 260 }, cell: (c) => <Bar row={c.row.original} length={length} /> })]),
  ], [length, narrow, onFold]);
  return <DataTable label="Spans" rows={rows} columns={columns} rowId={(row) => row.span.id} rowName={(row) => row.span.name} rowHeight={32} active={chosen} onActive={onChoose} />;
}
