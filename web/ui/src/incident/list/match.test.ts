import { describe, expect, it } from "vitest";
import { makeIncident } from "../../testing/make";
import { comparer, matches, readFilter, toParameters } from "./match";

const now = Date.parse("2026-11-24T23:10:00.000Z");

describe("the list's filter", () => {
  it.each([
    ["state:open,acknowledged", true], ["state:resolved", false], ["severity:critical pay", true], ["severity:warning", false],
    ["INC-1", true], ["FAILS payment", true], ["fails checkout", false], ["owner:nobody", true], ["owner:me,bob", false], ["since:15m", true], ["since:1m", false], ["", true],
  ])("%s", (text, want) => {
    expect(matches(makeIncident({ lastSeenAt: "2026-11-24T23:05:00.000Z" }), readFilter(text), now, "ann")).toBe(want);
  });

  it("knows who asks", () => {
    const mine = makeIncident({ owner: "ann" });
    expect(["owner:me", "owner:ann", "owner:nobody", "owner:bob"].map((text) => matches(mine, readFilter(text), now, "ann"))).toEqual([true, true, false, false]);
    expect(toParameters(readFilter("owner:me,nobody,bob"), now, "ann")).toEqual({ owner: ["ann", "-", "bob"] });
  });

  it("becomes the API's parameters", () => {
    expect(toParameters(readFilter("state:open severity:critical,nonsense since:5m two words"), now, "ann")).toEqual({ state: ["open"], severity: ["critical"], q: "two words", since: "2026-11-24T23:05:00.000Z" });
  });
});

it("sorts by rank, not by letter", () => {
  const list = [makeIncident({ id: "a", severity: "warning" }), makeIncident({ id: "b", severity: "critical" }), makeIncident({ id: "c", severity: "info" })];
  expect(list.sort(comparer("-severity")).map((i) => i.id)).toEqual(["b", "a", "c"]);
});
