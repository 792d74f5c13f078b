import { expect, test } from "vitest";
import { completions, fieldsOf, runValues } from "./complete";

const fields = fieldsOf({ metrics: ["loss", "val loss"], params: ["optimizer"], tags: ["team"] });

test("a field is completed, those that begin so first", () => {
  expect(completions("metrics.l", fields)).toEqual(["metrics.loss "]);
  expect(completions("loss", fields)).toEqual(["metrics.loss ", "metrics.`val loss` "]);
  expect(completions("", fields)).toHaveLength(fields.length);
});

test("an operator fits its field", () => {
  expect(completions("metrics.`val loss` ", fields)[0]).toBe("metrics.`val loss` > ");
  expect(completions("params.optimizer L", fields)).toEqual(["params.optimizer LIKE "]);
  expect(completions("metrics.loss <", fields)).toEqual(["metrics.loss < ", "metrics.loss <= "]);
});

test("a status has few values, and a whole clause goes on with AND", () => {
  expect(completions("attributes.status = ", fields, runValues)[0]).toBe("attributes.status = 'FINISHED'");
  expect(completions("metrics.loss < 1 ", fields)).toEqual(["metrics.loss < 1 AND "]);
  expect(completions("metrics.loss < 1 AND tags.te", fields)).toEqual(["metrics.loss < 1 AND tags.team "]);
});
