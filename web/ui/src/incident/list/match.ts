// The list's filter, on both sides: as the API's parameters, and to judge an incident that arrives live.
import type { IncidentFilter } from "../../api/queries";
import { severities, states, type Incident } from "../../api/types";
import { parseFilter, parseSpan, type Filter } from "../../kit/filter";

export const choices = { state: states, severity: severities, owner: ["me", "nobody"], since: ["15m", "1h", "24h", "7d"] } as const;

export const defaultFilter = "state:open,acknowledged";

export const mineFilter = `${defaultFilter} owner:me`;

export const readFilter = (text: string): Filter => parseFilter(text, Object.keys(choices));

/** Whom an owner in a filter stands for, given who asks: "" is nobody. */
const ownerOf = (word: string, self: string): string => (word === "me" ? self : word === "nobody" ? "" : word);

/** The API's parameters. "since" is rounded to the minute, so that the same filter is the same query for a while. */
export function toParameters(filter: Filter, now: number, self: string): IncidentFilter {
  const parameters: IncidentFilter = {};
  // Words that are no state or severity are left out here; matches then lets nothing through for them.
  if (filter.terms.state) parameters.state = states.filter((s) => filter.terms.state?.includes(s));
  if (filter.terms.severity) parameters.severity = severities.filter((s) => filter.terms.severity?.includes(s));
  if (filter.terms.owner) parameters.owner = filter.terms.owner.map((word) => ownerOf(word, self) || "-");
  if (filter.text) parameters.q = filter.text;
  const span = parseSpan(filter.terms.since?.[0] ?? "");
  if (span) parameters.since = new Date(Math.floor((now - span) / 60_000) * 60_000).toISOString();
  return parameters;
}

/** Whether the incident belongs in the list of this filter. */
export function matches(incident: Incident, filter: Filter, now: number, self: string): boolean {
  const { state, severity, owner, since } = filter.terms;
  if (state && !state.includes(incident.state)) return false;
  if (severity && !severity.includes(incident.severity)) return false;
  if (owner && !owner.some((word) => ownerOf(word, self) === (incident.owner ?? ""))) return false;
  const span = parseSpan(since?.[0] ?? "");
  if (span && Date.parse(incident.lastSeenAt) < now - span) return false;
  const hay = `${incident.id} ${incident.title} ${incident.services.join(" ")}`.toLowerCase();
  return filter.text.toLowerCase().split(" ").every((word) => hay.includes(word));
}

const rank = { none: 0, info: 1, warning: 2, error: 3, critical: 4 };

/** Compares for a sort such as "-alerts"; unknown names keep the order. */
export function comparer(sort: string): (a: Incident, b: Incident) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  switch (sort.replace("-", "")) {
    case "severity": return (a, b) => sign * (rank[a.severity] - rank[b.severity]);
    case "alerts": return (a, b) => sign * (a.alertCount - b.alertCount);
    case "firing": return (a, b) => sign * (a.firingCount - b.firingCount);
    case "started": return (a, b) => sign * a.startedAt.localeCompare(b.startedAt);
    case "seen": return (a, b) => sign * a.lastSeenAt.localeCompare(b.lastSeenAt);
    case "owner": return (a, b) => sign * (a.owner ?? "\uffff").localeCompare(b.owner ?? "\uffff");
    case "title": return (a, b) => sign * a.title.localeCompare(b.title);
  }
  return () => 0;
}
