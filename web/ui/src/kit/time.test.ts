import { describe, expect, it } from "vitest";
import { formatClock, formatDuration, formatExact, formatRelative, ticks } from "./time";

describe("durations", () => {
  it.each([[-5, "0 s"], [59_999, "59 s"], [60_000, "1 min"], [3_600_000, "1 h"], [7_500_000, "2 h 5 min"], [40 * 3_600_000, "40 h"], [72 * 3_600_000, "3 d"]])("%i ms is %s", (ms, want) => {
    expect(formatDuration(ms)).toBe(want);
  });
});

describe("relative times", () => {
  it.each([[0, "just now"], [14 * 60_000, "14 min ago"], [-300_000, "in 5 min"]])("%i ms before now is %s", (ago, want) => {
    expect(formatRelative(1_000_000_000 - ago, 1_000_000_000)).toBe(want);
  });
});

it("writes exact times in UTC when asked", () => {
  const at = Date.parse("2026-11-24T23:02:05Z");
  expect(formatExact(at, "utc")).toBe("24 Nov 2026, 23:02:05 UTC");
  expect(formatClock(at, "utc", true)).toBe("23:02:05");
});

describe("ticks", () => {
  it("are round and inside", () => {
    expect(ticks(61_000, 241_000, 4)).toEqual([120_000, 180_000, 240_000]);
  });
  it("are never more than asked for", () => {
    for (const span of [1e3, 6e4, 9e6, 4e9]) expect(ticks(12_345, 12_345 + span, 6).length).toBeLessThanOrEqual(7);
  });
});
