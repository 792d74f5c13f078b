import { expect, it } from "vitest";
import { barOf, midnight } from "./strip";

const from = Date.parse("2026-01-01T00:00:00Z");
const day = 86_400_000;

it.each([
  ["within", 1, 2, { left: 100 / 14, width: 100 / 14 }], ["begun before", -1, 1, { left: 0, width: 100 / 14 }], ["longer than all", -1, 20, { left: 0, width: 100 }],
])("an occurrence %s", (_, start, end, want) => {
  const bar = barOf(from + start * day, from + end * day, from);
  expect(bar?.left).toBeCloseTo(want.left);
  expect(bar?.width).toBeCloseTo(want.width);
});

it("is not shown when it is over or too far away", () => {
  expect(barOf(from - day, from, from)).toBeUndefined();
  expect(barOf(from + 14 * day, from + 15 * day, from)).toBeUndefined();
});

it("begins at midnight", () => expect(midnight(from + 5_000_000, true)).toBe(from));
