import { expect, it } from "vitest";
import { noiseShape } from "./noise";

const one = [{ id: "INC-1", label: "x", weight: 1, colour: "critical" }];
const count = (path: string, letter: string): number => path.split(letter).length - 1;
const draw = (fields: object) => noiseShape({ width: 600, height: 50, spark: [3, 1, 0, 9], total: 13, hidden: 0, ends: one, ...fields });

it("draws one tick per alert", () => {
  expect(count(draw({}).ticks, "M")).toBe(13);
});

it("bounds the ticks and wires of a storm", () => {
  const shape = draw({ total: 100_000, hidden: 20_000 });
  expect(count(shape.ticks, "M")).toBe(150);
  expect(count(shape.told, "M")).toBeLessThanOrEqual(64);
});

it("lets what was held back stop before the incident", () => {
  const shape = draw({ total: 10, hidden: 4 });
  expect(count(shape.hidden, "M")).toBe(4);
  expect(count(shape.told, "M")).toBe(6);
});

it("draws no wire to nowhere", () => {
  expect(draw({ ends: [] }).told).toBe("");
});

it("survives an empty spark", () => {
  const shape = draw({ spark: [], total: 2 });
  expect(shape.ticks).not.toContain("NaN");
  expect(draw({ spark: [], total: 0 }).ticks).toBe("");
});

it("gives every incident wires by its weight", () => {
  const shape = draw({ total: 150, ends: [{ ...one[0], id: "a", weight: 9 }, { ...one[0], id: "b", weight: 1 }] });
  const [a, b] = shape.ends.map((end) => count(shape.told, ` 590.0 ${end.y.toFixed(1)}`));
  expect(a).toBeGreaterThan((b ?? 0) * 3);
  expect(b).toBeGreaterThan(0);
});
