import { expect, test } from "vitest";
import { bandOf, isWithin, withBand } from "./bands";

test("a band goes from the upper to the lower end, and a click is none", () => {
  expect(bandOf(80, 20)).toEqual([20, 80]);
  expect(bandOf(20, 22)).toBeUndefined();
});

test("bands are set and removed by axis", () => {
  const one = withBand({}, "m:loss", [1, 9]);
  expect(withBand(one, "p:lr", [2, 3])).toEqual({ "m:loss": [1, 9], "p:lr": [2, 3] });
  expect(withBand(one, "m:loss", undefined)).toEqual({});
});

test("what is in every band is within, and what has no value is not", () => {
  const bands = { a: [10, 20], b: [0, 5] } as const;
  const at = (heights: Record<string, number>) => (axis: string) => heights[axis];
  expect(isWithin(bands, at({ a: 10, b: 5 }))).toBe(true);
  expect(isWithin(bands, at({ a: 21, b: 5 }))).toBe(false);
  expect(isWithin(bands, at({ a: 15 }))).toBe(false);
  expect(isWithin({}, at({}))).toBe(true);
});
