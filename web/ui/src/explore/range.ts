// The time that a chart shows: a span up to now, or two moments. It stands in the URL.

export const spans = { "1h": "1 h", "6h": "6 h", "1d": "24 h", "7d": "7 d", "30d": "30 d" } as const;
export type SpanName = keyof typeof spans;

const millis: Record<SpanName, number> = { "1h": 3_600_000, "6h": 6 * 3_600_000, "1d": 86_400_000, "7d": 7 * 86_400_000, "30d": 30 * 86_400_000 };

export interface Range {
  from: number;
  to: number;
  /** The span up to now that is shown; undefined when it is two moments. */
  span?: SpanName;
}

const isSpan = (text: string | undefined): text is SpanName => text !== undefined && text in spans;

/** Reads the range of a URL at a moment. */
export function readRange(from: string | undefined, to: string | undefined, now: number): Range {
  const [a, b] = [Date.parse(from ?? ""), Date.parse(to ?? "")];
  if (!Number.isNaN(a) && !Number.isNaN(b) && a < b) return { from: a, to: b };
  const span = isSpan(from) ? from : "6h";
  return { from: now - millis[span], to: now, span };
}

/** How a range stands in the URL. */
export const writeRange = (from: number, to: number): { from: string; to: string } => ({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
