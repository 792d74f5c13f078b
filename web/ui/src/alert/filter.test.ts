import { describe, expect, it } from "vitest";
import { parseFilter } from "../kit/filter";
import { makeAlert } from "../testing/make";
import { alertKeys, alertMatches, serviceOf, toAlertParameters } from "./filter";

const read = (text: string) => parseFilter(text, alertKeys);

describe("the filter of alerts", () => {
  it.each([
    ["state:firing told:no", { state: "firing", told: "no" }], ["disposition:held,silenced", { told: "no" }], ["disposition:told", { told: "yes" }],
    ["disposition:told,held", {}], ["state:firing,resolved", {}], ["state:nonsense pay", { q: "pay" }],
  ])("%s becomes the API's parameters", (text, want) => expect(toAlertParameters(read(text))).toEqual(want));

  it.each([
    ["disposition:held", false], ["told:yes service:payment", true], ["5xx", true], ["cart", false], ["severity:warning", false],
  ])("%s is judged on the page", (text, want) => expect(alertMatches(makeAlert(), read(text), true)).toBe(want));
});

it("names what is hit by the first label that says it", () => {
  expect(serviceOf(makeAlert({ labels: { job: "node" }, entity: { kind: "", name: "" } }))).toBe("node");
  expect(serviceOf(makeAlert({ labels: {}, entity: { kind: "host", name: "h1" } }))).toBe("h1");
  expect(serviceOf(makeAlert({ labels: {}, entity: { kind: "", name: "" } }))).toBe("other");
});
