// A silence as it is edited, and what to offer for alerts.
import type { Alert } from "../api/types";
import { toInstant, toWall, ownZone } from "../maintenance/zoned";
import type { Silence, SilenceEdit } from "./query";

export interface Draft {
  matchers: string[];
  /** Wall times of this computer's zone; no start is now. */
  starts: string;
  ends: string;
  comment: string;
}

export const spans = [{ word: "1 hour", ms: 3_600_000 }, { word: "4 hours", ms: 14_400_000 }, { word: "1 day", ms: 86_400_000 }, { word: "1 week", ms: 604_800_000 }] as const;

export const draftOf = (of: Silence | undefined, matchers: readonly string[], now: number): Draft =>
  of ? { matchers: of.matchers, starts: of.state === "pending" ? toWall(Date.parse(of.startsAt), ownZone()) : "", ends: toWall(Date.parse(of.endsAt), ownZone()), comment: of.comment }
    : { matchers: [...matchers], starts: "", ends: toWall(now + spans[1].ms, ownZone()), comment: "" };

/** What the server is asked for; undefined while it cannot be. */
export function editOf(draft: Draft): SilenceEdit | undefined {
  const ends = toInstant(draft.ends, ownZone());
  const starts = draft.starts === "" ? undefined : toInstant(draft.starts, ownZone());
  if (ends === undefined || draft.matchers.length === 0 || draft.comment.trim() === "" || (draft.starts !== "" && starts === undefined)) return undefined;
  return { matchers: draft.matchers, endsAt: new Date(ends).toISOString(), comment: draft.comment.trim(), ...(starts === undefined ? {} : { startsAt: new Date(starts).toISOString() }) };
}

const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

const escapeExpression = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Matchers that hit all of some alerts and as few others as their labels allow: what they have in common, and their names. */
export function matchersFor(alerts: readonly Pick<Alert, "labels">[]): string[] {
  const [first, ...rest] = alerts;
  if (!first) return [];
  const common = Object.entries(first.labels).filter(([name, value]) => rest.every((a) => a.labels[name] === value)).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => `${name}=${quote(value)}`);
  const names = [...new Set(alerts.map((a) => a.labels.alertname ?? ""))];
  if (names.length > 1 && !names.includes("") && names.length <= 20) common.unshift(`alertname=~${quote(names.map(escapeExpression).sort().join("|"))}`);
  return common;
}

/** Matchers as one value of the address. */
export const packMatchers = (matchers: readonly string[]): string => matchers.join("\n");

export const unpackMatchers = (text: string | undefined): string[] => (text ?? "").split("\n").filter(Boolean);

/** Matchers as words of the alerts' filter, which cannot hold spaces: those that have some are left out. */
export const asFilter = (matchers: readonly string[]): string => matchers.filter((m) => !/\s/.test(m)).join(" ");
