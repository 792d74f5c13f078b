import type { Window, WindowEdit } from "../api/types";
import type { Said } from "../kit/Overtaken";
import { readRule, writeRule, type Choice } from "./rule";
import { ownZone, toInstant, toWall } from "./zoned";

/** A window as the form has it: times on the wall of its zone. */
export interface Draft {
  title: string;
  starts: string;
  ends: string;
  zone: string;
  choice: Choice;
  matchers: string[];
  entities: string[];
  comment: string;
}

const hour = 3_600_000;

/** The draft of a window, or of a new one for the next full hour. */
export function draftOf(window: Window | undefined, now: number): Draft {
  const zone = window ? window.zone || "UTC" : ownZone();
  const start = window ? Date.parse(window.startsAt) : Math.ceil(now / hour) * hour;
  const end = window ? Date.parse(window.endsAt) : start + 2 * hour;
  return {
    title: window?.title ?? "", starts: toWall(start, zone), ends: toWall(end, zone), zone, choice: readRule(window?.rule ?? ""),
    matchers: window?.matchers ?? [], entities: window?.entities ?? [], comment: window?.comment ?? "",
  };
}

/** What the server takes; undefined while a time is not written in full. */
export function editOf(draft: Draft): WindowEdit | undefined {
  const [start, end] = [toInstant(draft.starts, draft.zone), toInstant(draft.ends, draft.zone)];
  if (start === undefined || end === undefined) return undefined;
  const rule = writeRule(draft.choice);
  return {
    title: draft.title.trim(), startsAt: new Date(start).toISOString(), endsAt: new Date(end).toISOString(), zone: draft.zone,
    matchers: draft.matchers, entities: draft.entities, comment: draft.comment.trim(), ...(rule ? { rule } : {}),
  };
}

/** What the form's fields say. */
export const said = (d: Draft): Said => [
  ["Title", d.title], ["Starts", d.starts], ["Ends", d.ends], ["Time zone", d.zone], ["Recurs", writeRule(d.choice) || "once"],
  ["Matchers", d.matchers.join(", ")], ["Entities", d.entities.join(", ")], ["Comment", d.comment],
];

/** A window as the server takes it again. */
export const again = ({ title, startsAt, endsAt, zone, matchers, entities, comment, rule }: Window): WindowEdit => ({ title, startsAt, endsAt, zone, matchers, entities, comment, ...(rule ? { rule } : {}) });
