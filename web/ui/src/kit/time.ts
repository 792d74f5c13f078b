// Times as people read them: relative in text, exact on hover.
import type { Zone } from "./settings";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** "14 min", "2 h 5 min", "3 d": how long something takes or took. */
export function formatDuration(ms: number): string {
  const t = Math.max(0, ms);
  if (t < minute) return `${Math.floor(t / 1000)} s`;
  if (t < hour) return `${Math.floor(t / minute)} min`;
  if (t < 10 * hour) {
    const rest = Math.floor((t % hour) / minute);
    return rest === 0 ? `${Math.floor(t / hour)} h` : `${Math.floor(t / hour)} h ${rest} min`;
  }
  if (t < 2 * day) return `${Math.floor(t / hour)} h`;
  return `${Math.floor(t / day)} d`;
}

/** "just now", "14 min ago", "in 5 min". */
export function formatRelative(at: number, now: number): string {
  const ago = now - at;
  if (Math.abs(ago) < 5_000) return "just now";
  return ago >= 0 ? `${formatDuration(ago)} ago` : `in ${formatDuration(-ago)}`;
}

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options);
  let found = cache.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { ...options, ...(zone === "utc" ? { timeZone: "UTC" } : {}) });
    cache.set(key, found);
  }
  return found;
}

/** "24 Nov 2026, 23:02:05 UTC", or with the local zone's name. */
export function formatExact(at: number, zone: Zone): string {
  return formatter(zone, { year: "numeric", month: "short", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).format(at);
}

/** "23:02", or "23:02:05" when seconds matter. */
export function formatClock(at: number, zone: Zone, seconds = false): string {
  return formatter(zone, { hour: "2-digit", minute: "2-digit", ...(seconds ? { second: "2-digit" } : {}) }).format(at);
}

/** "24 Nov". */
export function formatDay(at: number, zone: Zone): string {
  return formatter(zone, { day: "2-digit", month: "short" }).format(at);
}

const steps = [1_000, 5_000, 15_000, 30_000, minute, 2 * minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute, hour, 2 * hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day];

/** Round times between from and to, at most count of them. */
export function ticks(from: number, to: number, count: number): number[] {
  const step = steps.find((s) => (to - from) / s <= count) ?? 30 * day;
  const result: number[] = [];
  for (let t = Math.ceil(from / step) * step; t <= to; t += step) result.push(t);
  return result;
}
