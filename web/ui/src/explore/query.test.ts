import { describe, expect, it } from "vitest";
import { entitySelectors, isSelector, seriesName } from "./query";
import { sayNumber } from "./say";

describe("what is asked of the explorer", () => {
  it("is a selector when it only names series", () => {
    for (const text of ["up", "node_load1{instance=\"a:9100\"}", " {job=~\"a|b\"} ", "job:rate:sum"]) expect(isSelector(text)).toBe(true);
    for (const text of ["rate(up[5m])", "up + 1", "up[5m]", "sum by (job) (up)", ""]) expect(isSelector(text)).toBe(false);
  });
  it("is an entity when it has a kind and a name", () => {
    expect(entitySelectors("job:shop")).toEqual(["{job=\"shop\"}"]);
    expect(entitySelectors("instance:10.0.0.1:9100")[0]).toBe("{instance=\"10.0.0.1:9100\"}");
    expect(entitySelectors("service:checkout").at(-1)).toBe("{job=\"checkout\"}");
    for (const text of ["up", "rate(up[5m])", "http:requests{job=\"a\"}"]) expect(entitySelectors(text)).toEqual([]);
  });
  it("names series as PromQL does", () => {
    expect(seriesName({ __name__: "up", job: "a", path: "c:\\x" })).toBe("up{job=\"a\", path=\"c:\\\\x\"}");
    expect(seriesName({})).toBe("{}");
  });
});

describe("a number", () => {
  it("is as short as one can read it", () => {
    expect([0, 12.3456, 12345, 2_500_000, -3e9, 0.00001234, null].map(sayNumber)).toEqual(["0", "12.35", "12.35k", "2.5M", "-3G", "1.23e-5", "–"]);
  });
});
