// Runs with the same value of a column, as one row with the means of their metrics.
import { valueOf, type KeyColumn } from "./columns";
import type { Run } from "./query";

export interface Group {
  group: string;
  runs: Run[];
  open: boolean;
}

export type Row = Run | Group;

export const isGroup = (row: Row): row is Group => "group" in row;

/** The rows of a table that is grouped: each group, the largest first, and below an open one its runs. */
export function groupRows(runs: readonly Run[], by: KeyColumn, open: ReadonlySet<string>): Row[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const name = sayValue(valueOf(run, by)) || "none";
    const list = groups.get(name);
    if (list) list.push(run); else groups.set(name, [run]);
  }
  return [...groups].sort((a, b) => b[1].length - a[1].length).flatMap(([group, list]): Row[] => [{ group, runs: list, open: open.has(group) }, ...(open.has(group) ? list : [])]);
}

/** The mean, least and greatest of a column's numbers; undefined without any. */
export function summarise(runs: readonly Run[], column: KeyColumn): { mean: number; least: number; greatest: number } | undefined {
  const numbers = runs.map((run) => valueOf(run, column)).filter((v) => typeof v === "number");
  if (numbers.length === 0) return undefined;
  return { mean: numbers.reduce((a, b) => a + b, 0) / numbers.length, least: Math.min(...numbers), greatest: Math.max(...numbers) };
}

export function sayValue(value: string | number | null | undefined): string {
  if (value === undefined) return "";
  if (value === null) return "NaN";
  return typeof value === "number" ? String(Number(value.toPrecision(6))) : value;
}

/** A value as a number for a chart: metrics, and params that are numbers. */
export function numberOf(run: Run, column: KeyColumn): number | undefined {
  const value = valueOf(run, column);
  if (typeof value === "number") return value;
  if (typeof value !== "string" || value.trim() === "") return undefined;
  const n = Number(value);
  return Number.isFinite(n) ? n : undefined;
}
