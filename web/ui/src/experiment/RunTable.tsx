import { UnstyledButton } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useMemo, useRef } from "react";
import { sayNumber } from "../explore/say";
import { DataTable, type Column } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { Span, Time } from "../kit/Time";
import { valueOf, type KeyColumn } from "./columns";
import classes from "./experiment.module.css";
import { isGroup, sayValue, summarise, type Group, type Row } from "./groups";
import type { Run } from "./query";
import { RunMark } from "./RunMark";

const column = createColumnHelper<Row>();
const wide = 112;
const lazyFrom = 16;

function Value({ row, of }: { row: Row; of: KeyColumn }) {
  if (isGroup(row)) {
    const sum = summarise(row.runs, of);
    return sum ? <span className="dim" title={`mean ${sum.mean}, from ${sum.least} to ${sum.greatest}`}>{sayNumber(sum.mean)}</span> : null;
  }
  const text = sayValue(valueOf(row, of));
  return text === "" ? <span className="dim">–</span> : <span title={text}>{text}</span>;
}

const keyColumn = (of: KeyColumn): Column<Row> => column.display({ id: of.id, header: () => <span title={`${of.kind}: ${of.key}`}>{of.key}</span>, meta: { width: wide, sort: of.id, right: of.kind === "metrics" }, cell: (c) => <Value row={c.row.original} of={of} /> });
const gap = (id: string, width: number): Column<Row> => column.display({ id, header: "", meta: { width }, cell: () => null });

function Fold({ of, onFold }: { of: Group; onFold: (group: string) => void }) {
  const Icon = of.open ? IconChevronDown : IconChevronRight;
  return <UnstyledButton data-above className={classes.fold} aria-expanded={of.open} onClick={() => onFold(of.group)} title={of.group}><Icon size={14} aria-hidden /><span className={classes.name}>{of.group}</span><span className="dim">{formatCount(of.runs.length)} runs</span></UnstyledButton>;
}

const Name = ({ of }: { of: Run }) => <Link to="/runs/$id" params={{ id: of.id }} search={{}} className={classes.name} title={of.name}>{of.name || of.id}</Link>;

interface Props {
  rows: readonly Row[];
  columns: readonly KeyColumn[];
  sort: string | undefined;
  onSort: (sort: string) => void;
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  active: string | undefined;
  onActive: (id: string) => void;
  onFold: (group: string) => void;
  onEnd: () => void;
}

/** Many runs with many columns: rows and columns are drawn only where one looks. */
export function RunTable({ rows, columns, onFold, onSelect, ...rest }: Props) {
  const scroll = useRef<HTMLDivElement>(null);
  const narrow = useMediaQuery("(max-width: 760px)");
  const lazy = columns.length > lazyFrom;
  const across = useVirtualizer({ horizontal: true, count: lazy ? columns.length : 0, getScrollElement: () => scroll.current, estimateSize: () => wide, overscan: 4, paddingStart: 600 });
  const seen = across.getVirtualItems();
  const from = lazy ? (seen[0]?.index ?? 0) : 0;
  const to = lazy ? (seen.at(-1)?.index ?? 0) + 1 : columns.length;
  const made = useMemo((): Column<Row>[] => {
    const name = column.display({ id: "name", header: "Run", meta: { sort: "name", ...(columns.length > 5 ? { width: 200 } : {}) }, cell: ({ row: { original: row } }) => (isGroup(row) ? <Fold of={row} onFold={onFold} /> : <Name of={row} />) });
    if (narrow) {
      return [column.display({ id: "name", header: "Run", cell: ({ row: { original: row } }) => (isGroup(row) ? <Fold of={row} onFold={onFold} /> : <div className={classes.stacked}><Name of={row} /><span className={classes.under}><RunMark status={row.status} />{row.startedAt && <span className="dim"><Time at={row.startedAt} /></span>}{columns[0] && <span className="dim">{columns[0].key} {sayValue(valueOf(row, columns[0]))}</span>}</span></div>) })];
    }
    return [
      name,
      column.display({ id: "status", header: "Status", meta: { width: 108, sort: "status" }, cell: ({ row: { original: row } }) => (isGroup(row) ? null : <RunMark status={row.status} />) }),
      column.display({ id: "start", header: "Started", meta: { width: 112, right: true, sort: "start" }, cell: ({ row: { original: row } }) => (isGroup(row) || !row.startedAt ? null : <Time at={row.startedAt} />) }),
      column.display({ id: "took", header: "Took", meta: { width: 90, right: true }, cell: ({ row: { original: row } }) => (isGroup(row) || !row.startedAt ? null : <Span from={row.startedAt} to={row.endedAt} />) }),
      ...(from > 0 ? [gap("before", from * wide)] : []),
      ...columns.slice(from, to).map(keyColumn),
      ...(to < columns.length ? [gap("behind", (columns.length - to) * wide)] : []),
    ];
  }, [columns, from, to, narrow, onFold]);
  const select = useCallback((next: ReadonlySet<string>) => {
    const whole = new Set(next);
    for (const row of rows) { // a group stands for its runs
      if (!isGroup(row) || !whole.delete(`group ${row.group}`)) continue;
      for (const run of row.runs) whole.add(run.id);
    }
    onSelect(whole);
  }, [rows, onSelect]);
  return <DataTable {...rest} label="Runs" rows={rows} columns={made} onSelect={select} scrollRef={scroll} rowHeight={narrow ? 58 : 36} rowId={(row) => (isGroup(row) ? `group ${row.group}` : row.id)} rowName={(row) => (isGroup(row) ? row.group : row.name || row.id)} />;
}
