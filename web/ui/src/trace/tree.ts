// Spans as a tree.
import type { TraceSpan } from "./query";

export interface Row {
  span: TraceSpan;
  /** 0 for a root. */
  depth: number;
  /** How many spans are below it, at any depth. */
  below: number;
  folded: boolean;
}

/** The spans that show, each under its parent and in the order of their begin. One whose parent was not sent is a root. */
export function rowsOf(spans: readonly TraceSpan[], folded: ReadonlySet<string>): Row[] {
  const known = new Set(spans.map((s) => s.id));
  const children = new Map<string, TraceSpan[]>();
  for (const span of spans) {
    const parent = span.parent !== span.id && known.has(span.parent) ? span.parent : "";
    children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const rows: Row[] = [];
  const drawn = new Set<string>();
  const add = (root: TraceSpan): void => {
    const waiting: { span: TraceSpan; depth: number; hidden: boolean; open: Row[] }[] = [{ span: root, depth: 0, hidden: false, open: [] }];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { span, depth, hidden, open } = next;
      if (drawn.has(span.id)) continue;
      drawn.add(span.id);
      const row = { span, depth, below: 0, folded: folded.has(span.id) };
      for (const above of open) above.below += 1;
      if (!hidden) rows.push(row);
      for (const child of (children.get(span.id) ?? []).toReversed()) waiting.push({ span: child, depth: depth + 1, hidden: hidden || row.folded, open: [...open, row] });
    }
  };
  for (const root of children.get("") ?? []) add(root);
  for (const span of spans) if (!drawn.has(span.id)) add(span); // in a circle
  return rows;
}

/** From the first begin to the last end, in milliseconds. */
export const lengthOf = (spans: readonly TraceSpan[]): number => spans.reduce((most, s) => Math.max(most, s.start + (s.took ?? 0)), 0);

/** 0.42 as "0.4 ms", 1250 as "1.25 s", 65000 as "1 min 5 s". */
export function sayTook(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(2))} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/** What JSON holds as a text that is read: texts as they are, all else indented. */
export const sayJson = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, null, 2));
