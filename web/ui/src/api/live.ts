// One event stream for the whole page. It notices a lost connection within 3 s (the server pings every 2 s), opens a new
// one by itself, and then lets every query ask again, because events may have been missed.
import type { Incident, Stats, Step } from "./types";

export interface LiveEvents {
  incident: Incident;
  step: Step;
  stats: Stats;
  /** The stream was interrupted, or the server could not say what was missed: ask again. */
  reset: undefined;
}

export type Connection = "connecting" | "live" | "lost";

type Listener<K extends keyof LiveEvents> = (data: LiveEvents[K]) => void;

const silenceLimit = 2_700;
const checkEvery = 100;
const retryAfter = 1_000;

export class Live {
  connection: Connection = "connecting";
  /** When the last event came, in milliseconds; 0 before the first. */
  lastAt = 0;
  private source: EventSource | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private openedAt = 0;
  private wasLost = false;
  private readonly watchers = new Set<() => void>();
  private readonly listeners: { [K in keyof LiveEvents]: Set<Listener<K>> } = { incident: new Set(), step: new Set(), stats: new Set(), reset: new Set() };

  constructor(private readonly url: string) {}

  /** Connects and stays connected until the returned function is called. */
  start(): () => void {
    this.connect();
    let quiet = false;
    this.watch = setInterval(() => {
      // Twice in a row: after the page itself was busy, events that came in time still wait to be read.
      const was = quiet;
      quiet = this.source !== undefined && Date.now() - Math.max(this.lastAt, this.openedAt) > silenceLimit;
      if (quiet && was) this.lose();
    }, checkEvery);
    return () => {
      clearInterval(this.watch);
      clearTimeout(this.retry);
      this.source?.close();
      this.source = undefined;
    };
  }

  on<K extends keyof LiveEvents>(name: K, listener: Listener<K>): () => void {
    this.listeners[name].add(listener);
    return () => this.listeners[name].delete(listener);
  }

  /** Tells about changes of the connection, for useSyncExternalStore. */
  readonly watchConnection = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  private connect(): void {
    const source = new EventSource(this.url);
    this.source = source;
    this.openedAt = Date.now();
    source.onopen = () => this.heard(source);
    source.onerror = () => { if (source === this.source) this.lose(); };
    source.addEventListener("ping", () => this.heard(source));
    source.addEventListener("reset", () => { this.heard(source); this.tell("reset", undefined); });
    for (const name of ["incident", "step", "stats"] as const) {
      source.addEventListener(name, (event: MessageEvent<string>) => {
        this.heard(source);
        this.tell(name, JSON.parse(event.data) as LiveEvents[typeof name]);
      });
    }
  }

  private heard(source: EventSource): void {
    if (source !== this.source) return;
    this.lastAt = Date.now();
    if (this.connection === "live") return;
    this.set("live");
    if (this.wasLost) this.tell("reset", undefined);
    this.wasLost = false;
  }

  private lose(): void {
    this.source?.close();
    this.source = undefined;
    this.wasLost = true;
    this.set("lost");
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), retryAfter);
  }

  private set(connection: Connection): void {
    if (this.connection === connection) return;
    this.connection = connection;
    for (const watcher of this.watchers) watcher();
  }

  private tell<K extends keyof LiveEvents>(name: K, data: LiveEvents[K]): void {
    for (const listener of this.listeners[name]) listener(data);
  }
}

export const live = new Live("/api/fairlead/v1/events");
