// Series as the detector sees them, and what PromQL answers.
import { queryOptions } from "@tanstack/react-query";
import { ApiError, client, take } from "../api/client";
import type { components } from "../api/schema";

export type SeriesChart = components["schemas"]["SeriesChart"];

const base = "/api/fairlead/v1";

/** A line of a chart: a series with its band, or the answer to an expression, which has none. */
export interface Line {
  name: string;
  labels: Record<string, string>;
  unit: string;
  /** Milliseconds since 1970. */
  times: number[];
  values: (number | null)[];
  low?: (number | null)[];
  high?: (number | null)[];
  /** Places at which an anomaly goes on. */
  alerts: number[];
  /** The same some time before, at the times at which it is drawn. */
  earlier?: { name: string; times: number[]; values: (number | null)[] };
}

export interface Lines {
  lines: Line[];
  more: boolean;
  /** The text is an expression: nothing is known of what is usual. */
  expression: boolean;
}

/** The name of a series, as PromQL writes it. */
export function seriesName(labels: Record<string, string>): string {
  const { __name__: name = "", ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return pairs.length === 0 ? name || "{}" : `${name}{${pairs.join(", ")}}`;
}

export const most = 12;

/** The unit of what is drawn: of a counter, by the second. */
function perSecond(c: SeriesChart): string {
  if (!c.counter) return c.unit ?? "";
  return c.unit ? `${c.unit}/s` : "per second";
}

async function charts(text: string, from: number, to: number, signal: AbortSignal): Promise<Lines> {
  const query = { selector: text, from: new Date(from).toISOString(), to: new Date(to).toISOString(), limit: most };
  const answer = await take(client.GET(`${base}/series/chart`, { params: { query }, signal }));
  const lines = answer.items.map((c): Line => ({
    name: seriesName(c.labels), labels: c.labels, unit: perSecond(c),
    times: c.times, values: c.values, low: c.low, high: c.high, alerts: c.alerts,
  }));
  return { lines, more: answer.more, expression: false };
}

/** The labels that name an entity, best first, as base/entity reads them. */
const entityLabels: Record<string, string[]> = {
  service: ["service", "service_name", "app", "app_kubernetes_io_name", "deployment", "statefulset", "daemonset", "job"],
  job: ["job"],
  instance: ["instance", "pod", "k8s_pod_name", "container"],
  host: ["node", "host", "hostname", "host_name", "k8s_node_name", "nodename"],
};

/** The selectors of an entity such as service:checkout, best first; none for other texts. */
export function entitySelectors(text: string): string[] {
  const [, kind = "", name = ""] = /^\s*(\w+):([^{}]+?)\s*$/.exec(text) ?? [];
  return (entityLabels[kind] ?? []).map((label) => `{${label}=${JSON.stringify(name)}}`);
}

/** Series by a selector, or, when nothing has that name, those of the entity that is meant. */
async function chartsOf(text: string, from: number, to: number, signal: AbortSignal): Promise<Lines> {
  let found: Lines = isSelector(text) ? await charts(text, from, to, signal) : { lines: [], more: false, expression: false };
  for (const selector of entitySelectors(text)) {
    if (found.lines.length > 0) break;
    found = await charts(selector, from, to, signal);
  }
  return found;
}

/** What the lines were some time before. */
async function withEarlier(found: Lines, text: string, from: number, to: number, before: number, name: string, signal: AbortSignal): Promise<Lines> {
  const old = await (found.expression ? expression : chartsOf)(text, from - before, to - before, signal);
  const lines = found.lines.map((line) => {
    const then = old.lines.find((o) => o.name === line.name);
    return then ? { ...line, earlier: { name, times: then.times.map((t) => t + before), values: then.values } } : line;
  });
  return { ...found, lines };
}

interface RangeAnswer {
  error?: string;
  data?: { result: { metric: Record<string, string>; values?: [number, string][] }[] };
}

async function expression(text: string, from: number, to: number, signal: AbortSignal): Promise<Lines> {
  const step = Math.max(1, Math.round((to - from) / 1000 / 600));
  const body = new URLSearchParams({ query: text, start: String(from / 1000), end: String(to / 1000), step: String(step) });
  const response = await fetch(`/api/v1/query_range?${body.toString()}`, { signal });
  const answer = (await response.json()) as RangeAnswer;
  if (!response.ok || !answer.data) throw new ApiError(response.status, { title: "This is no PromQL", detail: answer.error ?? "The expression cannot be read." });
  const all = answer.data.result;
  const lines = all.slice(0, most).map((r): Line => ({
    name: seriesName(r.metric), labels: r.metric, unit: "", times: (r.values ?? []).map(([t]) => t * 1000),
    values: (r.values ?? []).map(([, v]) => (Number.isFinite(Number(v)) ? Number(v) : null)), alerts: [],
  }));
  return { lines, more: all.length > most, expression: true };
}

/** Whether a text names series, and is no expression over them. */
export const isSelector = (text: string): boolean => /^\s*(?:[A-Za-z_:][\w:]*\s*(?:\{[^{}]*\})?|\{[^{}]*\})\s*$/.test(text);

/** With what a chart can be compared: the same a while before. */
export const compares = { "1d": { label: "Day before", millis: 86_400_000 }, "7d": { label: "Week before", millis: 7 * 86_400_000 } } as const;

/** A selector or an entity is drawn with what is usual; any other expression is asked of PromQL. */
export const linesQuery = (text: string, from: number, to: number, live: boolean, compare?: string) =>
  queryOptions({
    queryKey: ["lines", text, live ? to - from : from, live ? "now" : to, compare],
    queryFn: async ({ signal }) => {
      const shift = live ? Date.now() - to : 0;
      const [a, b] = [from + shift, to + shift];
      const known = isSelector(text) || entitySelectors(text).length > 0;
      const found = await (known ? chartsOf : expression)(text, a, b, signal);
      const before = Object.entries(compares).find(([name]) => name === compare)?.[1];
      return before ? withEarlier(found, text, a, b, before.millis, before.label.toLowerCase(), signal) : found;
    },
    enabled: text !== "",
    refetchInterval: live ? 15_000 : false,
    placeholderData: (old) => old,
  });

/** The names of the metrics that are stored. */
export const metricNamesQuery = queryOptions({
  queryKey: ["metric-names"],
  queryFn: async ({ signal }) => {
    const response = await fetch("/api/v1/label/__name__/values", { signal });
    return ((await response.json()) as { data?: string[] }).data ?? [];
  },
  staleTime: 60_000,
});
