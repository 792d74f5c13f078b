import { UnstyledButton } from "@mantine/core";
import { createRow, flexRender, getCoreRowModel, useReactTable, type ColumnDef, type Row } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, useRef, useState } from "react";
import { Box } from "./Box";
import classes from "./DataTable.module.css";
import { TableRow } from "./TableRow";

declare module "@tanstack/react-table" {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the library's own parameters must be repeated
  interface ColumnMeta<TData, TValue> { width?: number; right?: boolean; sort?: string }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of one table have different value types
export type Column<T> = ColumnDef<T, any>;

interface Props<T> {
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  rowId: (row: T) => string;
  rowName: (row: T) => string;
  /** "name" ascending, "-name" descending. */
  sort?: string | undefined;
  onSort?: (sort: string) => void;
  selected?: ReadonlySet<string>;
  onSelect?: (selected: ReadonlySet<string>) => void;
  active?: string | undefined;
  onActive?: (id: string) => void;
  dimmed?: (row: T) => boolean;
  onEnd?: () => void;
  rowHeight?: number;
  maxHeight?: string;
  scrollRef?: React.RefObject<HTMLDivElement | null>;
}

const none: never[] = [];

/** A real table whose rows are made only where one looks, for the library, too. The first link of a row covers it. */
export function DataTable<T extends object>(props: Props<T>) {
  const { rows, columns, rowId, selected, onSelect, active, onEnd, rowHeight = 36, sort } = props;
  const own = useRef<HTMLDivElement>(null);
  const scroll = props.scrollRef ?? own;
  const lastPicked = useRef<number>(-1);
  const table = useReactTable<T>({ data: none, columns, getCoreRowModel: getCoreRowModel() });
  const [made] = useState(() => new WeakMap<T, Row<T>>());
  const rowOf = (data: T, index: number): Row<T> => {
    const row = made.get(data) ?? createRow(table, rowId(data), data, index, 0);
    made.set(data, row);
    return row;
  };
  const virtual = useVirtualizer({ count: rows.length, getScrollElement: () => scroll.current, estimateSize: () => rowHeight, overscan: 8, scrollPaddingStart: 34 });
  const items = virtual.getVirtualItems();
  const first = items[0]?.start ?? 0;
  const last = items.at(-1);
  const rest = virtual.getTotalSize() - (last?.end ?? 0);

  useEffect(() => virtual.measure(), [rowHeight, virtual]);
  useEffect(() => { if (last && last.index >= rows.length - 30) onEnd?.(); }, [last, rows.length, onEnd]);
  const activeIndex = active === undefined ? -1 : rows.findIndex((row) => rowId(row) === active);
  const scrolledTo = useRef(active);
  useEffect(() => {
    if (active === scrolledTo.current || activeIndex < 0) return;
    scrolledTo.current = active;
    virtual.scrollToIndex(activeIndex);
    requestAnimationFrame(() => {
      if (scrolledTo.current !== active) return; // one has gone on meanwhile
      scroll.current?.querySelector<HTMLElement>(`tr[data-id="${CSS.escape(active ?? "")}"] a`)?.focus({ preventScroll: true });
    });
  }, [active, activeIndex, scroll, virtual]);

  const pick = (index: number, range: boolean): void => {
    if (!selected || !onSelect) return;
    const row = rows[index];
    if (!row) return;
    const next = new Set(selected);
    const on = !next.has(rowId(row));
    const from = range && lastPicked.current >= 0 ? Math.min(lastPicked.current, index) : index;
    const to = range && lastPicked.current >= 0 ? Math.max(lastPicked.current, index) : index;
    for (const each of rows.slice(from, to + 1)) if (on) next.add(rowId(each)); else next.delete(rowId(each));
    lastPicked.current = index;
    onSelect(next);
  };
  const latest = useRef({ pick, onActive: props.onActive });
  useEffect(() => { latest.current = { pick, onActive: props.onActive }; });
  const onPick = useCallback((index: number, range: boolean) => latest.current.pick(index, range), []);
  const onFocus = useCallback((id: string) => { scrolledTo.current = id; latest.current.onActive?.(id); }, []);
  const all = selected !== undefined && rows.length > 0 && selected.size >= rows.length;
  const span = columns.length + (selected ? 1 : 0);

  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls, and the keyboard must reach that
    <div ref={scroll} className={classes.scroll} style={{ maxHeight: props.maxHeight }} tabIndex={0} role="region" aria-label={props.label}>
      <table className={classes.table} aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {selected && (
              <th className={classes.check} scope="col">
                <Box label="Select all rows loaded" checked={all} some={!all && selected.size > 0} onChange={() => onSelect?.(all || selected.size > 0 ? new Set() : new Set(rows.map(rowId)))} />
              </th>
            )}
            {table.getFlatHeaders().map((header) => {
              const { width, right, sort: key } = header.column.columnDef.meta ?? {};
              const direction = key && sort === key ? "ascending" : key && sort === `-${key}` ? "descending" : undefined;
              const text = flexRender(header.column.columnDef.header, header.getContext());
              return (
                <th key={header.id} scope="col" style={{ width }} className={right ? classes.right : undefined} aria-sort={direction}>
                  {key && props.onSort ? (
                    <UnstyledButton className={classes.sort} onClick={() => props.onSort?.(sort === `-${key}` ? key : sort === key ? "" : `-${key}`)}>
                      {text}<span aria-hidden>{direction === "ascending" ? " ↑" : direction === "descending" ? " ↓" : ""}</span>
                    </UnstyledButton>
                  ) : text}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {first > 0 && <tr aria-hidden className={classes.space} style={{ height: first }}><td colSpan={span} /></tr>}
          {items.map((item) => {
            const data = rows[item.index];
            if (!data) return null;
            const row = rowOf(data, item.index);
            return (
              <TableRow key={row.id} row={row} data={row.original} columns={columns} index={item.index} height={rowHeight} name={selected && props.rowName(row.original)}
                selected={selected?.has(row.id)} active={row.id === active} dim={props.dimmed?.(row.original) === true} onPick={onPick} onFocus={onFocus} />
            );
          })}
          {rest > 0 && <tr aria-hidden className={classes.space} style={{ height: rest }}><td colSpan={span} /></tr>}
        </tbody>
      </table>
    </div>
  );
}
