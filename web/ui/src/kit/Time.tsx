import { useSyncExternalStore } from "react";
import { useZone } from "./settings";
import { formatDuration, formatExact, formatRelative } from "./time";

let now = Date.now();
const watchers = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of watchers) each();
  }, 5_000);
  return () => {
    watchers.delete(watcher);
    if (watchers.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The current time, renewed every 5 s, the same for all who ask. */
export const useNow = (): number => useSyncExternalStore(watch, () => now);

/** A moment: relative in text, exact on hover and for machines. */
export function Time({ at }: { at: string }) {
  const current = useNow();
  const zone = useZone();
  const ms = Date.parse(at);
  return (
    <time dateTime={at} title={formatExact(ms, zone)}>
      {formatRelative(ms, Math.max(current, ms > current && ms - current < 5_000 ? ms : current))}
    </time>
  );
}

/** A span that may still run: "14 min". */
export function Span({ from, to }: { from: string; to?: string | undefined }) {
  const current = useNow();
  const zone = useZone();
  const start = Date.parse(from);
  const end = to ? Date.parse(to) : current;
  const title = to ? `${formatExact(start, zone)} to ${formatExact(end, zone)}` : `since ${formatExact(start, zone)}`;
  return <time dateTime={from} title={title}>{formatDuration(end - start)}</time>;
}
