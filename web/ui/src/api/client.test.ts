import { expect, it } from "vitest";
import { writeQuery } from "./client";

it("writes matchers one by one, and words with commas", () => {
  expect(writeQuery({ state: ["open", "forming"], match: ["a=1,2", "b!=c"], q: "x y&z", none: undefined, empty: [], limit: 5 })).toBe("state=open%2Cforming&match=a%3D1%2C2&match=b%21%3Dc&q=x+y%26z&limit=5");
});
