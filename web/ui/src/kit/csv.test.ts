import { expect, test } from "vitest";
import { toCsv } from "./csv";

test("a row has every column that any row has", () => {
  expect(toCsv([{ a: 1, b: "x" }, { b: "y", c: null }])).toBe("a,b,c\r\n1,x,\r\n,y,\r\n");
});

test("quotes, commas, lines and formulas stay text", () => {
  expect(toCsv([{ t: 'say "hi", now\nthere' }, { t: "=1+1" }, { t: "-2" }, { t: -2 }, { t: ["a", "b"] }, { t: { k: 1 } }]))
    .toBe(["t", '"say ""hi"", now\nthere"', "'=1+1", "'-2", "-2", "a b", '"{""k"":1}"', ""].join("\r\n"));
});

test("nothing is only an end of line", () => {
  expect(toCsv([])).toBe("\r\n");
});
