import { describe, expect, it } from "vitest";
import { formatFilter, parseFilter, parseSpan, toggleTerm } from "./filter";

const keys = ["state", "severity"];

describe("a filter as text", () => {
  it.each([
    ["keys and words", "state:open,acknowledged payment severity:critical", { state: ["open", "acknowledged"], severity: ["critical"] }, "payment"],
    ["a key twice adds up", "state:open state:resolved state:open", { state: ["open", "resolved"] }, ""],
    ["an unknown key is text", "pod:checkout-1 state:open", { state: ["open"] }, "pod:checkout-1"],
    ["a key without value is left out", "state: x", {}, "x"],
    ["an address is text", "http://shop.example", {}, "http://shop.example"],
    ["nothing", "  ", {}, ""],
  ])("reads %s", (_, source, terms, text) => {
    expect(parseFilter(source, keys)).toEqual({ terms, text });
  });

  it("reads what it wrote", () => {
    const filter = { terms: { state: ["open"], severity: ["critical", "error"] }, text: "two words" };
    expect(parseFilter(formatFilter(filter), keys)).toEqual(filter);
  });

  it("puts a value in and takes it out again", () => {
    const on = toggleTerm({ terms: {}, text: "x" }, "state", "open");
    expect(formatFilter(on)).toBe("state:open x");
    expect(formatFilter(toggleTerm(on, "state", "open"))).toBe("x");
  });
});

describe("a span", () => {
  it.each([["90s", 90_000], ["15m", 900_000], ["24h", 86_400_000], ["7d", 604_800_000], ["", undefined], ["7", undefined], ["-1h", undefined], ["1w", undefined]])("%j is %j ms", (text, want) => {
    expect(parseSpan(text)).toBe(want);
  });
});
