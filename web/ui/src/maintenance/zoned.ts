// Wall times in a time zone: "2026-01-04T02:00" in Europe/Berlin is 01:00 UTC.

const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(zone: string): Intl.DateTimeFormat {
  let found = formatters.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: zone || "UTC", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    formatters.set(zone, found);
  }
  return found;
}

/** The wall time of an instant, to the minute: "2026-01-04T02:00". */
export function toWall(instant: number, zone: string): string {
  const parts = Object.fromEntries(formatter(zone).formatToParts(instant).map((p) => [p.type, p.value]));
  return `${parts.year ?? ""}-${parts.month ?? ""}-${parts.day ?? ""}T${parts.hour ?? ""}:${parts.minute ?? ""}`;
}

/** The instant of a wall time; undefined when it is none. A time that the clocks skip becomes the one an hour later, of a repeated one the first counts. */
export function toInstant(wall: string, zone: string): number | undefined {
  const asUTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(wall) ? Date.parse(`${wall}:00Z`) : NaN; // Date.parse alone reads a date into anything
  if (Number.isNaN(asUTC)) return undefined;
  const offset = (at: number): number => Date.parse(`${toWall(at, zone)}:00Z`) - Math.floor(at / 60_000) * 60_000;
  const day = 86_400_000;
  for (const candidate of [asUTC - offset(asUTC - day), asUTC - offset(asUTC + day)]) if (toWall(candidate, zone) === wall) return candidate;
  return asUTC - offset(asUTC - day);
}

/** This computer's own zone. */
export const ownZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

/** All zones to choose from, UTC and this computer's first. */
export const zones = (): string[] => [...new Set(["UTC", ownZone(), ...Intl.supportedValuesOf("timeZone")])];

const spoken = new Map<string, Intl.DateTimeFormat>();

/** "Sun 04 Jan 2026, 02:00", on the wall of the zone. */
export function sayWall(instant: number, zone: string): string {
  let found = spoken.get(zone);
  if (!found) {
    found = new Intl.DateTimeFormat("en-GB", { timeZone: zone || "UTC", weekday: "short", day: "2-digit", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    spoken.set(zone, found);
  }
  return found.format(instant);
}
