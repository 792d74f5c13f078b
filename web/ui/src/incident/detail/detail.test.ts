import { describe, expect, it } from "vitest";
import { makeAlert, makeIncident, makeStep } from "../../testing/make";
import { axisOf, readRange, wholeRange } from "./axis";
import { growth } from "./HitPanel";
import { incidentMarkdown } from "./markdown";
import { joinSteps, timelineRows } from "./steps";

const t = (ms: number): string => new Date(ms).toISOString();

describe("the time axis", () => {
  const range = { from: 0, to: 100 };
  it("counts beginnings by service and what fires at once", () => {
    const axis = axisOf([makeAlert({ startsAt: t(5), endsAt: t(25) }), makeAlert({ startsAt: t(15), endsAt: undefined }), makeAlert({ startsAt: t(95), labels: { service: "cart" } })], range, 10);
    expect(axis.firing).toEqual([1, 2, 1, 1, 1, 1, 1, 1, 1, 2]);
    expect(axis.lanes.map((l) => [l.name, l.total])).toEqual([["payment", 2], ["cart", 1]]);
  });
  it("knows alerts that began before the range and forgets those that ended before it", () => {
    const axis = axisOf([makeAlert({ startsAt: t(-50) }), makeAlert({ startsAt: t(-50), endsAt: t(-20) })], range, 4);
    expect(axis.firing).toEqual([1, 1, 1, 1]);
    expect(axis.lanes[0]?.counts).toEqual([0, 0, 0, 0]);
  });
  it("keeps at most seven lanes", () => {
    const axis = axisOf(Array.from({ length: 30 }, (_, i) => makeAlert({ labels: { service: `s${i}` } })), range, 4);
    expect(axis.lanes).toHaveLength(7);
    expect(axis.lanes.at(-1)?.name).toBe("24 more");
  });
  it("is never empty in width", () => {
    const whole = wholeRange(t(1000), t(1000), 1000, false);
    expect(whole.to - whole.from).toBeGreaterThan(59_000);
  });
  it("ignores a range that makes no sense", () => {
    expect(readRange("x", t(5))).toBeUndefined();
    expect(readRange(t(9), t(5))).toBeUndefined();
    expect(readRange(t(1), t(5))).toEqual({ from: 1, to: 5 });
  });
});

describe("the timeline", () => {
  it("joins earlier steps and newer windows, each step once and as it is now", () => {
    const before = [makeStep({ id: "S1" }), makeStep({ id: "S2" })];
    const now = [makeStep({ id: "S2", undoneAt: t(1) }), makeStep({ id: "S3" })];
    const joined = joinSteps(before, now);
    expect(joined.map((s) => s.id)).toEqual(["S1", "S2", "S3"]);
    expect(joined[1]?.undoneAt).toBe(t(1));
  });

  const joins = (n: number) => Array.from({ length: n }, (_, i) => makeStep({ id: `S${i}`, alertCount: 2 }));
  it("folds long runs of alerts that joined by themselves", () => {
    const rows = timelineRows([makeStep({ id: "open", kind: "open" }), ...joins(5), makeStep({ id: "ack", kind: "acknowledge", actor: "ann" })]);
    expect(rows.map((r) => r.kind)).toEqual(["step", "run", "step"]);
    expect(rows[1]).toMatchObject({ alerts: 10 });
  });
  it("leaves short runs, people's moves and undone steps as they are", () => {
    expect(timelineRows(joins(3))).toHaveLength(3);
    expect(timelineRows([...joins(2), makeStep({ undoneAt: t(1) }), ...joins(2)])).toHaveLength(5);
    expect(timelineRows(joins(5).map((s) => ({ ...s, actor: "ann" })))).toHaveLength(5);
  });
});

describe("growth", () => {
  const now = 10_000_000;
  const old = t(0);
  it.each([
    ["growing", [{ startsAt: t(now - 1000) }, { startsAt: t(now - 1000) }], "growing: 2 more than 5 min ago"],
    ["shrinking", [{ startsAt: old, endsAt: t(now - 1000) }], "shrinking: 1 fewer than 5 min ago"],
    ["steady", [{ startsAt: old }], "steady in the last 5 min"],
  ])("%s", (_, alerts, want) => expect(growth(alerts, old, now)).toBe(want));
  it("says nothing about five minutes ago of a younger incident", () => {
    expect(growth([{ startsAt: t(now - 1000) }], t(now - 2000), now)).toBe("all within the last 5 min");
  });
});

it("writes Markdown that cannot break its table", () => {
  const incident = { ...makeIncident({ title: "a | b *c*", heldBack: 2 }), alerts: [], causes: [], precedents: [], executions: [], timelineNext: "", timeline: [makeStep({ text: "x | y\nz", undoneAt: t(1) })] };
  const text = incidentMarkdown(incident, "http://fairlead.example", Date.parse("2026-11-24T23:14:00Z"));
  expect(text).toContain("## a \\| b \\*c\\*");
  expect(text).toContain("[INC-1](http://fairlead.example/incidents/INC-1) · critical · open · 14 min");
  expect(text).toContain("9 reports, 3 alerts → 1 incident; 2 held back.");
  expect(text).toContain("~~x \\| y z~~ (undone)");
});
