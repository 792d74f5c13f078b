import { expect, test } from "vitest";
import { columnOf } from "./columns";
import { groupRows, isGroup, numberOf, summarise } from "./groups";
import type { Run } from "./query";

const run = (id: string, loss: number | null, depth: string): Run => ({ id, name: id, experiment: "1", user: "", status: "FINISHED", deleted: false, metrics: { loss }, params: { depth }, tags: {}, datasets: [], modelsMade: [], location: "" });
const runs = [run("a", 1, "3"), run("b", 2, "9"), run("c", 3, "3"), run("d", null, "3")];

test("the largest group is first, and an open one shows its runs", () => {
  const rows = groupRows(runs, columnOf("params", "depth"), new Set(["9"]));
  expect(rows.map((r) => (isGroup(r) ? r.group : r.id))).toEqual(["3", "9", "b"]);
});

test("NaN is left out of a mean", () => {
  expect(summarise(runs, columnOf("metrics", "loss"))).toEqual({ mean: 2, least: 1, greatest: 3 });
  expect(summarise(runs, columnOf("metrics", "none"))).toBeUndefined();
});

test("a param that is a number can be drawn", () => {
  expect(numberOf(run("a", null, "0.5"), columnOf("params", "depth"))).toBe(0.5);
  expect(numberOf(run("a", null, "adam"), columnOf("params", "depth"))).toBeUndefined();
  expect(numberOf(run("a", null, ""), columnOf("metrics", "loss"))).toBeUndefined();
});
