// Proves the log in this browser: that whoever holds the key signed it, that it only grew since this browser last looked, and
// that an entry is in it. What was seen last is kept in this browser, out of the server's reach.
import { grew, includes, readCheckpoint, readRecord, type Checkpoint, type Consistency, type Inclusion, type RecordFields } from "./proof";
import { getCheckpoint, getConsistency, getInclusion, type AuditState, type Entry } from "./query";

export interface Finding {
  what: string;
  /** Undefined: there was nothing to compare with. */
  good: boolean | undefined;
  words: string;
}

export interface Result {
  findings: Finding[];
  /** Everything that somebody else needs to check the same. */
  evidence: { key: string; checkpoint: string; inclusion?: Inclusion; consistency?: Consistency };
}

interface Seen {
  size: number;
  root: string;
  key: string;
  at: string;
}

const place = "fairlead-audit-seen";

export function lastSeen(): Seen | undefined {
  try {
    const text = localStorage.getItem(place);
    return text === null ? undefined : (JSON.parse(text) as Seen);
  } catch {
    return undefined; // storage is forbidden or was written by something else: as if nothing had been seen
  }
}

function remember(seen: Seen): void {
  try {
    localStorage.setItem(place, JSON.stringify(seen));
  } catch {
    // see lastSeen
  }
}

/** Runs a check; what cannot even be read fails it. */
function holds(check: () => boolean): boolean {
  try {
    return check();
  } catch {
    return false;
  }
}

const count = (n: number): string => n.toLocaleString("en-US");

/** Whether a record says what the page shows of an entry. What is sealed in it cannot be compared. */
function matches(fields: RecordFields | undefined, entry: Entry): boolean {
  return fields?.at === new Date(entry.at).toISOString() && fields.actor === (entry.person ?? entry.actor) && fields.action === entry.action && fields.object === entry.object;
}

/** Checks the log as it is now and, if given, that an entry is in it. */
export async function prove(state: AuditState, entry?: Entry): Promise<Result> {
  const before = lastSeen();
  const text = await getCheckpoint();
  const evidence: Result["evidence"] = { key: state.key, checkpoint: text };
  const findings: Finding[] = [];
  let now: Checkpoint | undefined;
  const signed = holds(() => (now = readCheckpoint(text, state.key)) !== undefined);
  findings.push({ what: "Signature", good: signed, words: signed && now ? `The log of ${count(now.size)} entries is signed with the key ${state.key.split("+").slice(0, 2).join("+")}.` : "The checkpoint is not signed with the log’s key." });
  if (!now) return { findings, evidence };
  if (before && before.key !== state.key) {
    findings.push({ what: "Same log", good: false, words: `The key is another than on ${before.at.slice(0, 10)}, when this browser last looked. Ask who changed it; a restored or new installation has a new key.` });
  } else if (before && before.size > now.size) {
    findings.push({ what: "Only grew", good: false, words: `This browser has seen ${count(before.size)} entries; now there are ${count(now.size)}. Entries were cut off, or an old backup was restored.` });
  } else if (before && before.size > 0) {
    const proof = (evidence.consistency = await getConsistency(before.size, now.size));
    const root = now.root;
    const good = holds(() => proof.from === before.size && proof.to === now?.size && proof.fromRoot === before.root && proof.toRoot === root && grew(proof));
    findings.push({ what: "Only grew", good, words: good ? `The ${count(before.size)} entries that this browser saw on ${before.at.slice(0, 10)} are unchanged at the beginning of today’s ${count(now.size)}.` : `The first ${count(before.size)} entries are not those that this browser saw on ${before.at.slice(0, 10)}.` });
  } else {
    findings.push({ what: "Only grew", good: undefined, words: "This browser has not looked before. From now on it remembers what it saw, and compares next time." });
  }
  if (entry && entry.n < now.size) {
    const proof = (evidence.inclusion = await getInclusion(entry.n, now.size));
    const good = holds(() => proof.leaf === entry.n && proof.size === now?.size && proof.root === now.root && includes(proof));
    findings.push({ what: "In the log", good, words: good ? `Entry ${count(entry.n)} leads by ${count(proof.path.length)} hashes to the signed root.` : `Entry ${count(entry.n)} does not lead to the signed root.` });
    const says = holds(() => matches(readRecord(proof.record), entry));
    findings.push({ what: "Says the same", good: says, words: says ? "Time, actor, action and object in the hashed record are those shown above." : "The hashed record says something else than what is shown above." });
  }
  if (findings.every((f) => f.good !== false)) remember({ size: now.size, root: now.root, key: state.key, at: new Date().toISOString() });
  return { findings, evidence };
}
