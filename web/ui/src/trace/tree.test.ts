import { describe, expect, it } from "vitest";
import type { TraceSpan } from "./query";
import { lengthOf, rowsOf, sayTook } from "./tree";

const span = (id: string, parent: string, start = 0, took?: number): TraceSpan => ({ id, parent, name: id, kind: "", status: "OK", message: "", start, ...(took === undefined ? {} : { took }), attributes: {}, events: [] });
const shown = (spans: TraceSpan[], folded: string[] = []): string[] => rowsOf(spans, new Set(folded)).map((r) => `${"-".repeat(r.depth)}${r.span.id}${r.below}`);

describe("the tree of spans", () => {
  it("puts each under its parent, in the order of their begin", () => {
    expect(shown([span("a", ""), span("b", "a", 1), span("c", "b", 2), span("d", "a", 3)])).toEqual(["a3", "-b1", "--c0", "-d0"]);
  });
  it("leaves out what is below a folded one and counts it", () => {
    expect(shown([span("a", ""), span("b", "a"), span("c", "b"), span("d", "a")], ["b"])).toEqual(["a3", "-b1", "-d0"]);
  });
  it("takes one whose parent was not sent for a root, and one that is its own parent", () => {
    expect(shown([span("b", "gone"), span("c", "b"), span("d", "d")])).toEqual(["b1", "-c0", "d0"]);
  });
  it("shows spans in a circle once each", () => {
    expect(shown([span("a", "b"), span("b", "a")])).toEqual(["a1", "-b0"]);
  });
  it("is not slow or too deep for a long chain", () => {
    const chain = Array.from({ length: 1000 }, (_, i) => span(`s${i}`, i ? `s${i - 1}` : ""));
    expect(rowsOf(chain, new Set()).at(-1)?.depth).toBe(999);
  });
  it("is as long as the last end", () => expect(lengthOf([span("a", "", 0, 10), span("b", "a", 8, 7), span("c", "a", 9)])).toBe(15));
  it("says times shortly", () => expect([0.42, 25.4, 1250, 65_000].map(sayTook)).toEqual(["0.4 ms", "25 ms", "1.25 s", "1 min 5 s"]));
});
