import { describe, expect, it } from "vitest";
import { freeName, nameProblem } from "./names";
import { clean, complaintOf, pathsOf } from "./mapper";

describe("a mapper", () => {
  it("is sent without its empty fields", () => {
    expect(clean({ name: " item.title ", state: "", labels: { team: "item.team", "": "x", empty: " " }, annotations: { note: "" } })).toEqual({ name: "item.title", labels: { team: "item.team" } });
  });

  it.each([
    ["", undefined],
    ['mapper.name: "item." cannot be read: unexpected token.', { place: "name", text: '"item." cannot be read: unexpected token.' }],
    ['item 0: mapper.state: "blue" means neither.', { place: "state", text: '"blue" means neither.' }],
    ["item 3: mapper.labels.team: nil pointer.", { place: "labels.team", text: "nil pointer. (item 3)" }],
    ["The body is no JSON.", { place: undefined, text: "The body is no JSON." }],
  ])("a complaint finds its field: %s", (error, want) => expect(complaintOf(error)).toEqual(want));
});

describe("paths to choose from", () => {
  it("are those of the payload", () => expect(pathsOf('{"a":{"b-c":1},"d":[{"e":2}]}', "")).toEqual({ lists: ["body.d"], items: ['item.a["b-c"]', "item.d"] }));
  it("are those of the first item of a list", () => expect(pathsOf('[{"a":1}]', "").items).toEqual(["item.a", "body"]));
  it("follow a chosen list", () => expect(pathsOf('{"d":[{"e":2}],"f":1}', "body.d").items).toEqual(["item.e", "body.d", "body.f"]));
  it("are none for what is no JSON", () => expect(pathsOf("{", "")).toEqual({ lists: [], items: [] }));
});

describe("a name", () => {
  it("is offered when it is free", () => expect(freeName("json", ["json", "json-2"])).toBe("json-3"));
  it.each([["prod-eu", undefined], ["Prod", "lower-case"], ["", "name"], ["taken", "taken"], ["new", "new"]])("%s", (name, want) => {
    if (want) expect(nameProblem(name, ["taken"])).toContain(want);
    else expect(nameProblem(name, ["taken"])).toBeUndefined();
  });
});
