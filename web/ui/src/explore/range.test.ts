import { describe, expect, it } from "vitest";
import { readRange, writeRange } from "./range";

const now = Date.parse("2026-03-02T12:00:00Z");

describe("the range of a chart", () => {
  it("is the last six hours when the URL says nothing", () => {
    expect(readRange(undefined, undefined, now)).toEqual({ from: now - 6 * 3_600_000, to: now, span: "6h" });
  });
  it("is a span up to now", () => {
    expect(readRange("7d", undefined, now)).toEqual({ from: now - 7 * 86_400_000, to: now, span: "7d" });
  });
  it("is two moments, and comes back as it was written", () => {
    const written = writeRange(now - 1000, now);
    expect(readRange(written.from, written.to, now + 5000)).toEqual({ from: now - 1000, to: now });
  });
  it("ignores moments in the wrong order and what is none", () => {
    const { from, to } = writeRange(now, now - 1000);
    expect(readRange(from, to, now).span).toBe("6h");
    expect(readRange("yesterday", "today", now).span).toBe("6h");
  });
});
