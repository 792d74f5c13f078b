// The numbers behind the time axis: which alerts began when, on which service, and how many fired at once.
import { serviceOf } from "../../alert/filter";
import type { Alert } from "../../api/types";

export interface Range {
  from: number;
  to: number;
}

export interface Lane {
  name: string;
  /** Alerts that began in each bucket. */
  counts: number[];
  total: number;
}

export interface Axis {
  lanes: Lane[];
  /** Alerts firing at the end of each bucket. */
  firing: number[];
  range: Range;
}

const mostLanes = 7;

/** The whole span of an incident with a little room on both sides. */
export function wholeRange(from: string, to: string, now: number, running: boolean): Range {
  const start = Date.parse(from);
  const end = Math.max(running ? now : Date.parse(to), start + 60_000);
  const room = (end - start) * 0.02;
  return { from: start - room, to: end + room };
}

export function axisOf(alerts: readonly Alert[], range: Range, buckets: number): Axis {
  const width = (range.to - range.from) / buckets;
  const bucketOf = (t: number): number => Math.floor((t - range.from) / width);
  const byService = new Map<string, Lane>();
  const change = Array<number>(buckets + 1).fill(0);
  for (const alert of alerts) {
    const start = bucketOf(Date.parse(alert.startsAt));
    const end = alert.endsAt ? bucketOf(Date.parse(alert.endsAt)) : buckets;
    if (end >= 0 && start < buckets) {
      const first = Math.max(0, start);
      change[first] = (change[first] ?? 0) + 1;
      const after = Math.min(buckets, Math.max(end, first));
      change[after] = (change[after] ?? 0) - 1;
    }
    const name = serviceOf(alert);
    const lane = byService.get(name) ?? { name, counts: Array<number>(buckets).fill(0), total: 0 };
    byService.set(name, lane);
    lane.total++;
    if (start >= 0 && start < buckets) lane.counts[start] = (lane.counts[start] ?? 0) + 1;
  }
  let level = 0;
  const firing = Array.from({ length: buckets }, (_, i) => (level += change[i] ?? 0));
  const sorted = [...byService.values()].sort((a, b) => b.total - a.total);
  const lanes = sorted.slice(0, sorted.length > mostLanes ? mostLanes - 1 : mostLanes);
  const rest = sorted.slice(lanes.length);
  if (rest.length > 0) {
    lanes.push({ name: `${rest.length} more`, total: rest.reduce((n, l) => n + l.total, 0), counts: Array.from({ length: buckets }, (_, i) => rest.reduce((n, l) => n + (l.counts[i] ?? 0), 0)) });
  }
  return { lanes, firing, range };
}

/** The range in the URL, or nothing when it is absent or makes no sense. */
export function readRange(from: string | undefined, to: string | undefined): Range | undefined {
  const range = { from: Date.parse(from ?? ""), to: Date.parse(to ?? "") };
  return range.to > range.from ? range : undefined;
}
