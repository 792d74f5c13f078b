import { expect, test } from "vitest";
import { draftOf, editOf, matchersFor, packMatchers, unpackMatchers } from "./draft";

test("matchers hold what alerts have in common, and their names", () => {
  const alerts = [{ labels: { alertname: "Down", service: "cart", pod: "a" } }, { labels: { alertname: "Slow.", service: "cart", pod: "b" } }];
  expect(matchersFor(alerts)).toEqual(['alertname=~"Down|Slow\\\\."', 'service="cart"']);
  expect(matchersFor(alerts.slice(0, 1))).toEqual(['alertname="Down"', 'pod="a"', 'service="cart"']);
  expect(matchersFor([{ labels: { alertname: 'say "hi"\\' } }])).toEqual(['alertname="say \\"hi\\"\\\\"']);
  expect(matchersFor([])).toEqual([]);
});

test("an address keeps matchers", () => {
  const matchers = ['a="b c"', "d=~\"e|f\""];
  expect(unpackMatchers(packMatchers(matchers))).toEqual(matchers);
  expect(unpackMatchers(undefined)).toEqual([]);
});

test("a draft asks for nothing before it is whole", () => {
  const draft = draftOf(undefined, ['a="b"'], Date.UTC(2026, 0, 2));
  expect(editOf(draft)).toBeUndefined();
  expect(editOf({ ...draft, comment: "  " })).toBeUndefined();
  expect(editOf({ ...draft, comment: "work" })).toEqual({ matchers: ['a="b"'], comment: "work", endsAt: "2026-01-02T04:00:00.000Z" });
  expect(editOf({ ...draft, comment: "work", ends: "tomorrow" })).toBeUndefined();
  expect(editOf({ ...draft, comment: "work", matchers: [] })).toBeUndefined();
});
