/** How many days the calendar shows. */
export const shownDays = 14;

const day = 86_400_000;

export interface Bar {
  left: number;
  width: number;
}

/** Where an occurrence lies on the strip that begins at from, in percent; undefined when it is not on it. */
export function barOf(start: number, end: number, from: number): Bar | undefined {
  const to = from + shownDays * day;
  if (end <= from || start >= to) return undefined;
  const left = Math.max(start, from);
  return { left: ((left - from) / (to - from)) * 100, width: ((Math.min(end, to) - left) / (to - from)) * 100 };
}

/** Midnight before now, in UTC or in this computer's zone. */
export function midnight(now: number, utc: boolean): number {
  const at = new Date(now);
  if (utc) at.setUTCHours(0, 0, 0, 0);
  else at.setHours(0, 0, 0, 0);
  return at.getTime();
}
