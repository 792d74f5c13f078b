import { describe, expect, it } from "vitest";
import { readRule, sayRule, writeRule } from "./rule";
import { toInstant, toWall } from "./zoned";

describe("recurrence rules", () => {
  it.each([
    ["", "once"], ["FREQ=DAILY", "every day"], ["FREQ=WEEKLY;BYDAY=SU", "every week on Sunday"], ["FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR", "every 2 weeks on Monday, Friday"], ["FREQ=MONTHLY", "every month"],
    ["FREQ=MONTHLY;BYDAY=1SA", "FREQ=MONTHLY;BYDAY=1SA"], ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;COUNT=3"],
  ])("%s is %s, and is written as it was read", (rule, words) => {
    expect(sayRule(rule)).toBe(words);
    expect(writeRule(readRule(rule))).toBe(rule);
  });

  it("puts the days into the week's order", () => expect(writeRule({ repeat: "weekly", every: 1, on: ["SU", "MO"], text: "" })).toBe("FREQ=WEEKLY;BYDAY=MO,SU"));
});

describe("wall times", () => {
  const berlin = "Europe/Berlin";
  it.each([
    ["2026-01-04T02:00", berlin, "2026-01-04T01:00:00.000Z"], ["2026-07-04T02:00", berlin, "2026-07-04T00:00:00.000Z"], ["2026-07-04T02:00", "UTC", "2026-07-04T02:00:00.000Z"],
    ["2026-10-25T02:30", berlin, "2026-10-25T00:30:00.000Z"], ["2026-07-04T02:00", "America/New_York", "2026-07-04T06:00:00.000Z"], ["2026-07-04T23:00", "Asia/Kolkata", "2026-07-04T17:30:00.000Z"],
  ])("%s in %s", (wall, zone, want) => {
    const at = toInstant(wall, zone);
    expect(at && new Date(at).toISOString()).toBe(want);
    expect(at && toWall(at, zone)).toBe(wall);
  });

  it("a time that the clocks skip is the one an hour later", () => expect(new Date(toInstant("2026-03-29T02:30", berlin) ?? 0).toISOString()).toBe("2026-03-29T01:30:00.000Z"));
  it("is none for nonsense", () => expect(toInstant("soon", "UTC")).toBeUndefined());
});
