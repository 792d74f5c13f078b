// Numbers for the noise bar, from incidents.
import type { Incident } from "../api/types";

/** How many alerts of the incident nobody was told about. */
export const hiddenIn = (i: Incident): number => Math.min(i.alertCount, i.heldBack + i.silenced + i.inhibited + i.flapping);

/** One spark over all incidents. Each incident's own span is stretched to the whole width when they lie far apart. */
export function combineSparks(incidents: readonly Incident[], buckets = 60): number[] {
  const result = Array<number>(buckets).fill(0);
  for (const incident of incidents) {
    incident.spark.forEach((count, i) => {
      const bucket = Math.min(buckets - 1, Math.floor(((i + 0.5) / incident.spark.length) * buckets));
      result[bucket] = (result[bucket] ?? 0) + count;
    });
  }
  return result;
}
