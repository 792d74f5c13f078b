// Carries live events into what TanStack Query keeps. A storm sends many events: they are collected and applied together,
// at most four times a second.
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Live } from "./live";
import { mentionKey } from "./people";
import { keys } from "./queries";
import type { Incident, IncidentDetail } from "./types";

interface IncidentPage {
  items: Incident[];
  next: string;
}

const applyEvery = 250;
const refetchEvery = 1_000;

/** Replaces known incidents in every list and detail; unknown ones are the list's business (its "new" pill). */
export function patchIncidents(queries: QueryClient, changed: ReadonlyMap<string, Incident>): void {
  queries.setQueriesData<InfiniteData<IncidentPage>>({ queryKey: keys.incidents }, (old) => {
    if (!old?.pages.some((page) => page.items.some((item) => changed.has(item.id)))) return old;
    return { ...old, pages: old.pages.map((page) => ({ ...page, items: page.items.map((item) => changed.get(item.id) ?? item) })) };
  });
  for (const [id, incident] of changed) {
    queries.setQueryData<IncidentDetail>(keys.incident(id), (old) => (old ? { ...old, ...incident } : old));
  }
}

/** Starts applying events until the returned function is called. */
export function syncLive(live: Live, queries: QueryClient): () => void {
  const changed = new Map<string, Incident>();
  const stale = new Set<string>();
  const patch = setInterval(() => {
    if (changed.size === 0) return;
    patchIncidents(queries, changed);
    changed.clear();
  }, applyEvery);
  const refetch = setInterval(() => {
    for (const id of stale) {
      void queries.invalidateQueries({ queryKey: keys.incident(id) });
      void queries.invalidateQueries({ queryKey: keys.incidentAlerts(id) });
    }
    stale.clear();
  }, refetchEvery);
  const stops = [
    live.on("incident", (incident) => { changed.set(incident.id, incident); stale.add(incident.id); }),
    live.on("step", (step) => {
      stale.add(step.incident);
      if (step.other) stale.add(step.other);
      if (step.text.includes("@")) void queries.invalidateQueries({ queryKey: mentionKey });
    }),
    live.on("stats", (stats) => queries.setQueryData(keys.stats, stats)),
    live.on("reset", () => void queries.invalidateQueries()),
  ];
  return () => {
    clearInterval(patch);
    clearInterval(refetch);
    for (const stop of stops) stop();
  };
}
