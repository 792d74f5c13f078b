import { expect, test } from "vitest";
import { allColumns, orderOf, readColumns, usualColumns, writeColumns } from "./columns";
import { contains, fieldOf } from "./query";

const keys = { metrics: ["loss", "val loss"], params: ["depth"], tags: ["mlflow.user", "team"] };

test("columns go into the URL and come back", () => {
  expect(readColumns(undefined)).toBeUndefined();
  expect(readColumns(writeColumns(allColumns(keys)))).toEqual(allColumns(keys));
  expect(readColumns("x:y\nm:\nm:a,b")).toEqual([{ id: "m:a,b", kind: "metrics", key: "a,b" }]);
});

test("MLflow's own tags are last, and not usual", () => {
  expect(allColumns(keys).map((c) => c.id)).toEqual(["m:loss", "m:val loss", "p:depth", "t:team", "t:mlflow.user"]);
  expect(usualColumns(keys).map((c) => c.id)).toEqual(["m:loss", "m:val loss", "p:depth"]);
});

test("a sort is an order of MLflow", () => {
  expect(orderOf("-m:loss")).toBe("metrics.loss DESC");
  expect(orderOf("p:learning rate")).toBe("params.`learning rate` ASC");
  expect(orderOf("-start")).toBe("attributes.start_time DESC");
  expect(orderOf("nonsense")).toBe("");
  expect(fieldOf("tags", "mlflow.user")).toBe("tags.mlflow.user");
});

test("a text with a quote is quoted by the other", () => {
  expect(contains("name", "it's")).toBe(`name ILIKE "%it's%"`);
});
