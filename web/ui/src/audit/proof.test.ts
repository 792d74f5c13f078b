// The vectors are a real log's: what the server answered for a log of 32,229 leaves.
import { expect, test } from "vitest";
import { grew, includes, readCheckpoint, readRecord } from "./proof";
import vectors from "./vectors.json";

/** The base64 text with one bit of one byte changed. */
function flip(base64: string, at: number): string {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return btoa(String.fromCharCode(...bytes));
}

test.each(vectors.inclusion)("leaf $leaf is in the log of $size", (p) => {
  expect(includes(p)).toBe(true);
});

test.each(vectors.inclusion)("whatever is changed of the proof of leaf $leaf in $size, it fails", (p) => {
  for (let i = 0; i < atob(p.record).length; i++) expect(includes({ ...p, record: flip(p.record, i) })).toBe(false);
  for (const name of ["root", "hash"] as const) for (let i = 0; i < 32; i++) expect(includes({ ...p, [name]: flip(p[name], i) })).toBe(false);
  p.path.forEach((_, k) => {
    for (let i = 0; i < 32; i += 5) expect(includes({ ...p, path: p.path.map((h, j) => (j === k ? flip(h, i) : h)) })).toBe(false);
  });
  expect(includes({ ...p, path: [...p.path, p.root] })).toBe(false);
  if (p.path.length > 0) expect(includes({ ...p, path: p.path.slice(1) })).toBe(false);
  expect(includes({ ...p, leaf: p.size })).toBe(false);
  if (p.size > 1) expect(includes({ ...p, leaf: p.leaf === 0 ? 1 : p.leaf - 1 })).toBe(false);
});

test.each(vectors.consistency)("the log of $from is the beginning of that of $to", (p) => {
  expect(grew(p)).toBe(true);
  expect(grew({ ...p, fromRoot: flip(p.fromRoot, 3) })).toBe(false);
  expect(grew({ ...p, toRoot: flip(p.toRoot, 31) })).toBe(false);
  expect(grew({ ...p, from: p.to + 1 })).toBe(false);
  p.path.forEach((_, k) => expect(grew({ ...p, path: p.path.map((h, j) => (j === k ? flip(h, 9) : h)) })).toBe(false));
});

test("a checkpoint is its key's, to the last byte", () => {
  const [first] = vectors.inclusion.filter((p) => p.size === 32229);
  expect(readCheckpoint(vectors.checkpoint, vectors.key)).toEqual({ origin: "fairlead-ikco3wry", size: 32229, root: first?.root, at: "2021-07-08T12:28:46Z" });
  for (let i = 0; i < vectors.checkpoint.trimEnd().length; i++) {
    const other = vectors.checkpoint.slice(0, i) + (vectors.checkpoint[i] === "A" ? "B" : "A") + vectors.checkpoint.slice(i + 1);
    expect(read(other), `byte ${i}`).toBeUndefined();
  }
  expect(readCheckpoint(vectors.checkpoint, vectors.key.replace("26c6", "26c7"))).toBeUndefined();
});

/** A text that cannot even be decoded is no checkpoint either. */
function read(text: string) {
  try {
    return readCheckpoint(text, vectors.key);
  } catch {
    return undefined;
  }
}

test("a record says who did what and when", () => {
  const [p] = vectors.inclusion.filter((v) => v.leaf === 0);
  expect(readRecord(p?.record ?? "")).toMatchObject({ actor: "person:yzodu3tccmc3mrqamtuitpzd", action: "integration.create", object: "prometheus" });
  expect(readRecord(btoa("\u0001\u00ff"))).toBeUndefined();
  expect(readRecord(btoa("\u0002"))).toBeUndefined();
});
