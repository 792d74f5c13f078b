import { describe, expect, it } from "vitest";
import { completeName, splitMentions, writtenName } from "./mentions";

describe("mentions", () => {
  it.each([
    ["ask @Ann, (@bob) or @carl.", ["ann", "bob", "carl"]],
    ["mail ann@example.org, not @", []],
    ["@a@example.org knows", ["a@example.org"]],
    ["", []],
  ])("of %j are %j", (text, names) => {
    const parts = splitMentions(text);
    expect(parts.map((part) => part.text).join("")).toBe(text);
    expect(parts.flatMap((part) => part.name ?? [])).toEqual(names);
  });

  it("knows the name that is being written", () => {
    expect(writtenName("ask @an and", 7)).toBe("an");
    expect(writtenName("ask @", 5)).toBe("");
    expect(writtenName("ask ann@", 8)).toBeUndefined();
    expect(writtenName("ask @an and", 11)).toBeUndefined();
  });

  it("writes the name out", () => {
    expect(completeName("ask @an now", 7, "ann")).toEqual({ text: "ask @ann now", caret: 9 });
    expect(completeName("@", 1, "bob")).toEqual({ text: "@bob ", caret: 5 });
  });
});
