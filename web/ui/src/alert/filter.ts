// The filter of alerts. The API knows state, told and text; the rest is matched here, on what was loaded.
import type { AlertFilter } from "../api/queries";
import { dispositions, severities, type Alert } from "../api/types";
import type { Filter } from "../kit/filter";

export const alertChoices = { state: ["firing", "resolved"], told: ["yes", "no"], disposition: dispositions, severity: severities } as const;
export const alertKeys = [...Object.keys(alertChoices), "service"];

/** The API's parameters for a filter. */
export function toAlertParameters(filter: Filter): AlertFilter {
  const { state, told, disposition } = filter.terms;
  const parameters: AlertFilter = {};
  const [oneState] = state?.length === 1 ? state : [];
  const [oneTold] = told?.length === 1 ? told : [];
  if (oneState === "firing" || oneState === "resolved") parameters.state = oneState;
  if (oneTold === "yes" || oneTold === "no") parameters.told = oneTold;
  else if (disposition) {
    const toldToo = disposition.includes("told");
    if (!toldToo) parameters.told = "no";
    else if (disposition.length === 1) parameters.told = "yes";
  }
  if (filter.text) parameters.q = filter.text;
  return parameters;
}

/** Whether the filter asks for something that only the page can tell. */
export const isLocal = (filter: Filter): boolean => Boolean(filter.terms.disposition ?? filter.terms.severity ?? filter.terms.service);

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
    case "name": return (a, b) => sign * a.name.localeCompare(b.name);
    case "service": return (a, b) => sign * serviceOf(a).localeCompare(serviceOf(b));
    case "started": return (a, b) => sign * a.startsAt.localeCompare(b.startsAt);
    case "reports": return (a, b) => sign * (a.reports - b.reports);
  }
  return () => 0;
}

/** The sentence of an alert: its summary, else its description, else its name. */
export const sentenceOf = (alert: Alert): string => alert.annotations.summary ?? alert.annotations.description ?? alert.name;
