// What the audit log says of itself, checked here and not by the server: RFC 6962's proofs over SHA-256, and checkpoints
// signed with Ed25519 as signed notes (golang.org/x/mod/sumdb/note, C2SP tlog-checkpoint).
import { hashes, verify } from "@noble/ed25519";
import { sha256, sha512 } from "@noble/hashes/sha2.js";
import type { components } from "../api/schema";

export type Inclusion = components["schemas"]["InclusionProof"];
export type Consistency = components["schemas"]["ConsistencyProof"];

hashes.sha512 = sha512;

type Bytes = Uint8Array;

export function decode(base64: string): Bytes {
  const text = atob(base64);
  return Uint8Array.from(text, (c) => c.charCodeAt(0));
}

const encode = (bytes: Bytes): string => btoa(String.fromCharCode(...bytes));

const join = (...parts: readonly Bytes[]): Bytes => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const same = (a: Bytes, b: Bytes): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

export const leafHash = (record: Bytes): Bytes => sha256(join(Uint8Array.of(0), record));

const nodeHash = (left: Bytes, right: Bytes): Bytes => sha256(join(Uint8Array.of(1), left, right));

/** The largest power of two below n. */
function half(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

class Wrong extends Error {}

function climb(path: readonly Bytes[], low: number, high: number, n: number, leaf: Bytes): Bytes {
  if (low + 1 === high) {
    if (path.length > 0) throw new Wrong("the path is too long");
    return leaf;
  }
  const beside = path.at(-1);
  if (!beside) throw new Wrong("the path is too short");
  const middle = low + half(high - low);
  return n < middle ? nodeHash(climb(path.slice(0, -1), low, middle, n, leaf), beside) : nodeHash(beside, climb(path.slice(0, -1), middle, high, n, leaf));
}

/** Whether the record is leaf number p.leaf of the log of size p.size whose root is p.root. */
export function includes(p: Inclusion): boolean {
  if (p.leaf < 0 || p.leaf >= p.size) return false;
  const leaf = leafHash(decode(p.record));
  try {
    return same(leaf, decode(p.hash)) && same(climb(p.path.map(decode), 0, p.size, p.leaf, leaf), decode(p.root));
  } catch (error) {
    if (error instanceof Wrong) return false;
    throw error;
  }
}

/** The roots of the earlier and the later log that a path leads to. */
function grow(path: readonly Bytes[], low: number, high: number, n: number, old: Bytes): [Bytes, Bytes] {
  const top = path.at(-1);
  if (n === high) {
    if (low === 0) {
      if (path.length > 0) throw new Wrong("the path is too long");
      return [old, old];
    }
    if (!top || path.length !== 1) throw new Wrong("the path has a wrong length");
    return [top, top];
  }
  if (!top) throw new Wrong("the path is too short");
  const middle = low + half(high - low);
  const rest = path.slice(0, -1);
  if (n <= middle) {
    const [before, after] = grow(rest, low, middle, n, old);
    return [before, nodeHash(after, top)];
  }
  const [before, after] = grow(rest, middle, high, n, old);
  return [nodeHash(top, before), nodeHash(top, after)];
}

/** Whether the log of size p.from is the beginning of that of size p.to. */
export function grew(p: Consistency): boolean {
  if (p.from < 1 || p.from > p.to) return false;
  const [from, to] = [decode(p.fromRoot), decode(p.toRoot)];
  try {
    const [before, after] = grow(p.path.map(decode), 0, p.to, p.from, from);
    return same(before, from) && same(after, to);
  } catch (error) {
    if (error instanceof Wrong) return false;
    throw error;
  }
}

export interface Checkpoint {
  origin: string;
  size: number;
  root: string;
  at: string;
}

/** The checkpoint in a signed note, if the holder of the key signed it; undefined if not. */
export function readCheckpoint(text: string, key: string): Checkpoint | undefined {
  const [, name = "", sum = "", rest = ""] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(key.trim()) ?? [];
  const end = text.lastIndexOf("\n\n");
  if (!name || end < 0) return undefined;
  const body = text.slice(0, end + 1);
  const bytes = decode(rest);
  const utf8 = new TextEncoder();
  const [kind, ...publicKey] = bytes;
  if (kind !== 1 || publicKey.length !== 32 || Array.from(sha256(join(utf8.encode(`${name}\n`), bytes)).slice(0, 4), (b) => b.toString(16).padStart(2, "0")).join("") !== sum) return undefined;
  const signed = text.slice(end + 2).split("\n").some((line) => {
    const prefix = `— ${name} `;
    if (!line.startsWith(prefix)) return false;
    const base64 = line.slice(prefix.length);
    const signature = decode(base64);
    return encode(signature) === base64 && signature.length === 68 && Array.from(signature.slice(0, 4), (b) => b.toString(16).padStart(2, "0")).join("") === sum && verify(signature.slice(4), utf8.encode(body), Uint8Array.from(publicKey));
  });
  const [origin = "", size = "", root = "", ...lines] = body.split("\n");
  if (!signed || origin !== name || !/^\d+$/.test(size)) return undefined;
  return { origin, size: Number(size), root, at: lines.find((line) => line.startsWith("time "))?.slice(5) ?? "" };
}

export interface RecordFields {
  at: string;
  actor: string;
  action: string;
  object: string;
}

/** What a hashed record says: who (a pseudonym for people), what, to what and when. Undefined if it cannot be read. */
export function readRecord(base64: string): RecordFields | undefined {
  const bytes = decode(base64);
  if (bytes[0] !== 1) return undefined;
  let place = 1;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; place < bytes.length; shift += 7n) {
      const byte = bytes[place++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    throw new Wrong("cut short");
  };
  const field = (): string => {
    const length = Number(varint());
    if (place + length > bytes.length) throw new Wrong("cut short");
    return new TextDecoder().decode(bytes.slice(place, (place += length)));
  };
  try {
    const zigzag = varint();
    const at = new Date(Number((zigzag & 1n) === 1n ? -(zigzag + 1n) / 2n : zigzag / 2n)).toISOString();
    return { at, actor: field(), action: field(), object: field() };
  } catch (error) {
    if (error instanceof Wrong || error instanceof RangeError) return undefined;
    throw error;
  }
}
