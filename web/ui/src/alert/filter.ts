// The filters of alerts: that of all alerts as the API's parameters; that of one incident's alerts, which are all loaded, judged here.
import type { AlertFilter } from "../api/queries";
import { dispositions, severities, type Alert } from "../api/types";
import { parseSpan, type Filter } from "../kit/filter";

export const alertChoices = { state: ["firing", "resolved"], told: ["yes", "no"], disposition: dispositions, severity: severities } as const;
export const alertKeys = [...Object.keys(alertChoices), "service"];

/** The keys of the list of all alerts, where the server judges. */
export const listChoices = { ...alertChoices, since: ["15m", "1h", "24h", "7d"] } as const;
export const listKeys = [...Object.keys(listChoices), "service", "source"];

const matcher = /^[\p{L}_][\p{L}\p{N}_.:-]*(=~|!~|!=|=)\S*$/u;

/** The words of a filter's text that are matchers of labels, such as region=~eu-.*, and the others. */
export function splitMatchers(text: string): { match: string[]; rest: string } {
  const words = text.split(" ").filter(Boolean);
  return { match: words.filter((word) => matcher.test(word)), rest: words.filter((word) => !matcher.test(word)).join(" ") };
}

export interface Range {
  from?: string | undefined;
  to?: string | undefined;
}

/** The API's parameters for a filter. "since" is rounded to the minute, so that the same filter is the same query for a while. */
export function toAlertParameters(filter: Filter, range: Range, now: number): AlertFilter {
  const { state, told, disposition, severity, service, source, since } = filter.terms;
  const parameters: AlertFilter = {};
  const [oneState] = state?.length === 1 ? state : [];
  const [oneTold] = told?.length === 1 ? told : [];
  if (oneState === "firing" || oneState === "resolved") parameters.state = oneState;
  if (oneTold === "yes" || oneTold === "no") parameters.told = oneTold;
  if (disposition) parameters.disposition = dispositions.filter((d) => disposition.includes(d));
  if (severity) parameters.severity = severities.filter((s) => severity.includes(s));
  if (service) parameters.service = service;
  if (source?.[0]) [parameters.source] = source;
  const { match, rest } = splitMatchers(filter.text);
  if (match.length > 0) parameters.match = match;
  if (rest) parameters.q = rest;
  const span = parseSpan(since?.[0] ?? "");
  const from = Date.parse(range.from ?? ""), to = Date.parse(range.to ?? "");
  if (!Number.isNaN(from)) parameters.since = new Date(from).toISOString();
  else if (span) parameters.since = new Date(Math.floor((now - span) / 60_000) * 60_000).toISOString();
  if (!Number.isNaN(to)) parameters.until = new Date(to).toISOString();
  return parameters;
}

/** What is hit, for lanes and filters. */
export const serviceOf = (alert: Alert): string =>
  [alert.labels.service, alert.labels.service_name, alert.labels["service.name"], alert.entity.name, alert.labels.job].find(Boolean) ?? "other";

export function alertMatches(alert: Alert, filter: Filter, withText: boolean): boolean {
  const { state, told, disposition, severity, service } = filter.terms;
  if (state && !state.includes(alert.state)) return false;
  if (told && !told.includes(alert.disposition === "told" ? "yes" : "no")) return false;
  if (disposition && !disposition.includes(alert.disposition)) return false;
  if (severity && !severity.includes(alert.severity)) return false;
  if (service && !service.includes(serviceOf(alert))) return false;
  if (!withText || !filter.text) return true;
  const hay = [alert.name, ...Object.values(alert.labels), ...Object.values(alert.annotations)].join(" ").toLowerCase();
  return filter.text.toLowerCase().split(" ").every((word) => hay.includes(word));
}

const rank = { none: 0, info: 1, warning: 2, error: 3, critical: 4 };

export function alertComparer(sort: string): (a: Alert, b: Alert) => number {
  const sign = sort.startsWith("-") ? -1 : 1;
  switch (sort.replace("-", "")) {
    case "severity": return (a, b) => sign * (rank[a.severity] - rank[b.severity]);
    case "name": return (a, b) => sign * words(a.name, b.name);
    case "service": return (a, b) => sign * words(serviceOf(a), serviceOf(b));
    case "started": return (a, b) => sign * (a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : 0);
    case "reports": return (a, b) => sign * (a.reports - b.reports);
  }
  return () => 0;
}

/** Compares words as people sort them; far quicker than localeCompare, which asks for the language each time. */
const words = new Intl.Collator().compare;

/** The sentence of an alert: its summary, else its description, else its name. */
export const sentenceOf = (alert: Alert): string => alert.annotations.summary ?? alert.annotations.description ?? alert.name;
