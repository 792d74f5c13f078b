import { flexRender, type ColumnDef, type Row } from "@tanstack/react-table";
import { memo } from "react";
import { Box } from "./Box";
import classes from "./DataTable.module.css";

interface Props<T> {
  row: Row<T>;
  // What the row shows: the library keeps a row's object while these change, so they are compared by themselves.
  data: T;
  columns: readonly ColumnDef<T>[];
  index: number;
  height: number;
  /** How the row is called in its checkbox; undefined for a table without selection. */
  name: string | undefined;
  selected: boolean | undefined;
  active: boolean;
  dim: boolean;
  onPick: (index: number, range: boolean) => void;
  onFocus: (id: string) => void;
}

/** One row, drawn again only when something it shows has changed: lists scroll and update often. */
function Plain<T>({ row, index, height, name, selected, active, dim, onPick, onFocus }: Props<T>) {
  return (
    <tr data-id={row.id} data-active={active ? true : undefined} data-dim={dim ? true : undefined} aria-rowindex={index + 2} aria-selected={selected} style={{ height }} onFocus={() => onFocus(row.id)}>
      {name !== undefined && (
        <td className={classes.check}>
          <Box label={`Select ${name}`} checked={selected ?? false} onChange={(range) => onPick(index, range)} />
        </td>
      )}
      {row.getVisibleCells().map((cell) => (
        <td key={cell.id} className={cell.column.columnDef.meta?.right ? classes.right : undefined}>{flexRender(cell.column.columnDef.cell, cell.getContext())}</td>
      ))}
    </tr>
  );
}

export const TableRow = memo(Plain) as typeof Plain;
