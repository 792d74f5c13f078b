// A mapper is expressions by field. Here is what each field is for, where the server's complaint belongs, and what a
// payload offers to choose from.
import type { Mapper } from "../api/types";

export type Field = Exclude<keyof Mapper, "labels" | "annotations">;

export const fields: readonly { field: Field; label: string; guess: string; more: string }[] = [
  { field: "each", label: "Each", guess: "the payload, or its items if it is a list", more: "A list: each of its items is an alert, called item in the other fields." },
  { field: "name", label: "Name", guess: "alertname, title, check…", more: "How the alert is called." },
  { field: "identity", label: "Identity", guess: "dedup_key, alert_id, id…, else name and labels", more: "The same from the first report to the end; different for different alerts." },
  { field: "state", label: "State", guess: "state, status…, else firing", more: "firing, resolved or acknowledged, or a word that means one of them." },
  { field: "severity", label: "Severity", guess: "severity, priority, level…", more: "critical, error, warning or info; P1 to P5 too." },
  { field: "summary", label: "Summary", guess: "summary, description, message…", more: "One sentence for people." },
  { field: "link", label: "Link", guess: "link, url…", more: "Where the tool shows it." },
  { field: "startsAt", label: "Starts at", guess: "startsAt, timestamp…, else now", more: "RFC 3339, or seconds or milliseconds since 1970." },
  { field: "endsAt", label: "Ends at", guess: "endsAt, resolved_at…, else now", more: "Read only when the state is resolved." },
];

/** The mapper without its empty fields, as the server keeps it. */
export function clean(mapper: Mapper): Mapper {
  const result: Mapper = {};
  for (const { field } of fields) {
    const text = mapper[field]?.trim();
    if (text) result[field] = text;
  }
  for (const map of ["labels", "annotations"] as const) {
    const entries = Object.entries(mapper[map] ?? {}).filter(([name, text]) => name.trim() && text.trim());
    if (entries.length > 0) result[map] = Object.fromEntries(entries.map(([name, text]) => [name.trim(), text.trim()]));
  }
  return result;
}

export interface Complaint {
  /** "name", or "labels.team"; undefined when it is about the payload as a whole. */
  place: string | undefined;
  text: string;
}

/** Where a complaint such as `item 0: mapper.state: "blue" means neither…` belongs. */
export function complaintOf(error: string): Complaint | undefined {
  if (error === "") return undefined;
  const match = /^(?:item (\d+): )?mapper\.([^:]+): ([\s\S]*)$/.exec(error);
  if (!match) return { place: undefined, text: error };
  const [, item, place, text = ""] = match;
  return { place, text: item && item !== "0" ? `${text} (item ${item})` : text };
}

const mostPaths = 200;

function walk(value: unknown, path: string, into: string[], depth: number): void {
  if (into.length >= mostPaths || depth > 5) return;
  if (typeof value !== "object" || value === null) {
    into.push(path);
    return;
  }
  if (Array.isArray(value)) {
    into.push(path);
    return;
  }
  for (const [name, inner] of Object.entries(value)) walk(inner, /^[A-Za-z_]\w*$/.test(name) ? `${path}.${name}` : `${path}[${JSON.stringify(name)}]`, into, depth + 1);
}

/** The lists of a payload, for Each, and the paths of an item, for the other fields. */
export function pathsOf(payload: string, each: string): { lists: string[]; items: string[] } {
  let body: unknown;
  try {
    body = JSON.parse(payload);
  } catch {
    return { lists: [], items: [] };
  }
  const all: string[] = [];
  walk(body, "body", all, 0);
  const at = (path: string): unknown => path.split(".").slice(1).reduce<unknown>((value, name) => (typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined), body);
  const lists = all.filter((path) => /^body(\.\w+)*$/.test(path) && Array.isArray(at(path)));
  const chosen = each.trim();
  const list = chosen === "" ? (Array.isArray(body) ? body : [body]) : at(chosen);
  const items: string[] = [];
  if (Array.isArray(list) && list.length > 0) walk(list[0], "item", items, 0);
  return { lists, items: chosen === "" && !Array.isArray(body) ? items : [...items, ...all] };
}
