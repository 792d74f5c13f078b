import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Live } from "./live";

/** An event source whose server is the test. */
class FakeSource extends EventTarget {
  static all: FakeSource[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  constructor(readonly url: string) {
    super();
    FakeSource.all.push(this);
  }
  send(name: string, data: unknown): void { this.dispatchEvent(new MessageEvent(name, { data: JSON.stringify(data) })); }
  close(): void { this.closed = true; }
  static get latest(): FakeSource {
    const source = FakeSource.all.at(-1);
    if (!source) throw new Error("nothing was opened");
    return source;
  }
}

describe("the live connection", () => {
  let stop: () => void;
  let live: Live;
  beforeEach(() => {
    vi.useFakeTimers();
    FakeSource.all = [];
    vi.stubGlobal("EventSource", FakeSource);
    live = new Live("/events");
    stop = live.start();
  });
  afterEach(() => {
    stop();
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is live once the server speaks, and stays so while it pings", () => {
    FakeSource.latest.send("ping", {});
    for (let i = 0; i < 10; i++) {
      vi.advanceTimersByTime(2_000);
      FakeSource.latest.send("ping", {});
    }
    expect(live.connection).toBe("live");
    expect(FakeSource.all).toHaveLength(1);
  });

  it("counts as lost within 3 s of silence, though the connection looks open", () => {
    FakeSource.latest.send("ping", {});
    vi.advanceTimersByTime(3_000);
    expect(live.connection).toBe("lost");
    expect(FakeSource.latest.closed).toBe(true);
  });

  it("heals by itself and says that events may have been missed", () => {
    const reset = vi.fn();
    live.on("reset", reset);
    FakeSource.latest.send("ping", {});
    FakeSource.latest.onerror?.();
    expect(live.connection).toBe("lost");
    vi.advanceTimersByTime(1_000);
    expect(FakeSource.all).toHaveLength(2);
    FakeSource.latest.onopen?.();
    expect(live.connection).toBe("live");
    expect(reset).toHaveBeenCalledOnce();
  });

  it("hands on incidents and ignores a source that it has given up", () => {
    const seen = vi.fn();
    live.on("incident", seen);
    const old = FakeSource.latest;
    old.send("incident", { id: "INC-1" });
    old.onerror?.();
    vi.advanceTimersByTime(1_000);
    old.onerror?.();
    FakeSource.latest.send("ping", {});
    expect(seen).toHaveBeenCalledWith({ id: "INC-1" });
    expect(live.connection).toBe("live");
  });
});
