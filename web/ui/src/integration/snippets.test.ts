import { describe, expect, it } from "vitest";
import { offered, senderOf, senders } from "./senders";
import { guided, guideOf } from "./snippets";

const place = { origin: "https://fairlead.example:8460", name: "prod-eu", key: "fl_secret123", signing: "5165" };

describe("how to point a sender here", () => {
  it("is written for every sender, and for no other", () => expect([...guided].sort()).toEqual(senders.map((s) => s.kind).sort()));

  it.each(senders.map((s) => s.kind))("%s: address and key are filled in, and so are those of the test", (kind) => {
    const { steps, test } = guideOf(kind, place);
    const text = steps.map((s) => s.lines).join("\n");
    expect(text).toContain("fairlead.example:8460");
    if (!senderOf(kind).signed) {
      expect(text).toContain(kind === "github" ? place.signing : place.key);
      expect(test).toContain(kind === "github" ? place.signing : place.key);
      expect(test).toContain("https://fairlead.example:8460/");
    }
    expect(`${text}\n${test}`).not.toMatch(/undefined|\[object/);
  });

  it.each(["grafana", "json"])("%s can sign instead of showing the key", (kind) => {
    const { signed } = guideOf(kind, place);
    expect(signed?.lines).toContain(place.signing);
    expect(signed?.lines).not.toContain(place.key);
  });

  it("gives the scheme and the path that Prometheus needs", () => {
    const lines = guideOf("prometheus", place).steps[0]?.lines;
    expect(lines).toContain("scheme: https");
    expect(lines).toContain("path_prefix: /in/prometheus/prod-eu");
  });

  it("does for a kind that is not known here", () => expect(guideOf("new-thing", place).test).toContain("/in/new-thing/prod-eu"));
});

it("offers each kind once, unknown ones last", () => {
  expect(offered(["zz", "json", "pagerduty", "pagerduty", "aa"]).map((s) => s.kind)).toEqual(["pagerduty", "json", "aa", "zz"]);
});
