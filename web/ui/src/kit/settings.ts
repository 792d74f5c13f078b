// The few choices of this browser that belong to no page and no URL.
import { useSyncExternalStore } from "react";

export type Zone = "local" | "utc";

const key = "fairlead-zone";
const watchers = new Set<() => void>();

function stored(): Zone {
  try {
    return localStorage.getItem(key) === "utc" ? "utc" : "local";
  } catch {
    return "local"; // storage is forbidden: the choice then lasts until the page is left
  }
}

let zone: Zone = stored();

export function setZone(next: Zone): void {
  zone = next;
  try {
    localStorage.setItem(key, next);
  } catch {
    // see stored
  }
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

export const useZone = (): Zone => useSyncExternalStore(watch, () => zone);
