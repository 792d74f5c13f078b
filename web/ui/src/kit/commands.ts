// Commands that the page in view offers to the palette.
import { useEffect, useSyncExternalStore } from "react";

export interface Command {
  id: string;
  label: string;
  description?: string;
  run: () => void;
}

let offered: readonly Command[] = [];
const none: readonly Command[] = [];
const watchers = new Set<() => void>();

function offer(commands: readonly Command[]): void {
  offered = commands;
  for (const watcher of watchers) watcher();
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** Offers commands while the component is shown; the list must be memoised. */
export function useCommands(commands: readonly Command[]): void {
  useEffect(() => {
    offer(commands);
    return () => offer(none);
  }, [commands]);
}

export const useOffered = (): readonly Command[] => useSyncExternalStore(watch, () => offered);
