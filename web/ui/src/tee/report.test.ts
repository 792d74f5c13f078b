import { describe, expect, it } from "vitest";
import type { TeeComparison, TeeReport } from "../api/types";
import { delay, headline, pictureOf, sayDelay, toMarkdown } from "./report";

const one = (fields: Partial<TeeComparison>): TeeComparison => ({ title: "payment fails", severity: "critical", verdict: "same", notifications: 12, alerts: 9, told: ["team-pay"], receivers: ["team-pay"], why: "", incident: "INC-1", toldAt: "2026-01-01T06:00:00Z", shownAt: "2026-01-01T06:00:30Z", ...fields });
const report: TeeReport = {
  from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", notifications: 20, resolved: 3, byReceiver: { "team-pay": 20 }, pages: 2, avoided: 18, same: 1, later: 0, missed: 1, extra: 1, integrations: [],
  incidents: [one({ verdict: "missed", incident: undefined, title: "disk | full", shownAt: undefined, notifications: 8, why: "It was\nsilenced." }), one({ verdict: "extra", toldAt: undefined, notifications: 0 }), one({})],
};

describe("the tee report", () => {
  it("is one sentence", () => expect(headline(report)).toBe("20 notifications → 2 pages, 18 avoided"));

  it("counts notifications over time, and ends in the incidents that Fairlead told of", () => {
    const { spark, ends, missed } = pictureOf(report);
    expect(spark).toHaveLength(30);
    expect(missed).toBe(8);
    expect(spark[7]).toBe(20);
    expect(ends).toEqual([{ id: "INC-1", label: "payment fails", weight: 12, colour: "critical" }]);
  });

  it.each([[one({}), "30 s later"], [one({ shownAt: "2026-01-01T05:58:00Z" }), "2 min earlier"], [one({ shownAt: "2026-01-01T06:00:00Z" }), "at once"], [one({ toldAt: undefined }), ""]])("says how much later", (c, want) => expect(sayDelay(delay(c))).toBe(want));

  it("is a table in Markdown whatever the titles are", () => {
    const lines = toMarkdown(report).split("\n");
    expect(lines).toContain("| missed | disk \\| full | critical | 8 | 2026-01-01T06:00:00Z |  | It was silenced. |");
    expect(lines).toHaveLength(9);
  });
});
