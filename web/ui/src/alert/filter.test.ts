import { describe, expect, it } from "vitest";
import { parseFilter } from "../kit/filter";
import { makeAlert } from "../testing/make";
import { alertKeys, alertMatches, listKeys, serviceOf, toAlertParameters } from "./filter";

const now = Date.parse("2026-11-24T23:10:30.000Z");
const read = (text: string) => parseFilter(text, alertKeys);

describe("the filter of alerts", () => {
  it.each([
    ["state:firing told:no", { state: "firing", told: "no" }], ["disposition:held,silenced,nonsense", { disposition: ["held", "silenced"] }], ["severity:critical", { severity: ["critical"] }],
    ["state:firing,resolved", {}], ["state:nonsense pay", { q: "pay" }], ["service:cart,pay source:grafana", { service: ["cart", "pay"], source: "grafana" }],
    ["region=~eu-.* slow a.b!=c pod=", { match: ["region=~eu-.*", "a.b!=c", "pod="], q: "slow" }], ["=x 5=6", { q: "=x 5=6" }], ["since:1h", { since: "2026-11-24T22:10:00.000Z" }],
  ])("%s becomes the API's parameters", (text, want) => expect(toAlertParameters(parseFilter(text, listKeys), {}, now)).toEqual(want));

  it("lets a range from the picture go before a span", () => {
    const range = { from: "2026-11-24T20:00:00Z", to: "2026-11-24T21:00:00Z" };
    expect(toAlertParameters(parseFilter("since:1h", listKeys), range, now)).toEqual({ since: "2026-11-24T20:00:00.000Z", until: "2026-11-24T21:00:00.000Z" });
    expect(toAlertParameters(parseFilter("", listKeys), { from: "nonsense" }, now)).toEqual({});
  });

  it.each([
    ["disposition:held", false], ["told:yes service:payment", true], ["5xx", true], ["cart", false], ["severity:warning", false],
  ])("%s is judged on the page", (text, want) => expect(alertMatches(makeAlert(), read(text), true)).toBe(want));
});

it("names what is hit by the first label that says it", () => {
  expect(serviceOf(makeAlert({ labels: { job: "node" }, entity: { kind: "", name: "" } }))).toBe("node");
  expect(serviceOf(makeAlert({ labels: {}, entity: { kind: "host", name: "h1" } }))).toBe("h1");
  expect(serviceOf(makeAlert({ labels: {}, entity: { kind: "", name: "" } }))).toBe("other");
});
