// Experiments, their runs, and what is known of each.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";

export type Experiment = components["schemas"]["Experiment"];
export type Run = components["schemas"]["Run"];
export type RunFile = components["schemas"]["RunFile"];
export type MetricHistory = components["schemas"]["MetricHistory"];
export type ExperimentKeys = components["schemas"]["ExperimentKeys"];
export type LearningView = "active" | "deleted";

const base = "/api/fairlead/v1";
const every = 5_000;
const live = 2_000;

export const experimentsQuery = (text: string, view: LearningView) =>
  infiniteQueryOptions({
    queryKey: ["experiments", text, view],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/experiments`, { params: { query: { view, limit: 200, ...(text ? { filter: contains("name", text) } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const experimentQuery = (id: string) =>
  queryOptions({ queryKey: ["experiment", id], queryFn: ({ signal }) => take(client.GET(`${base}/experiments/{id}`, { params: { path: { id: Number(id) } }, signal })), refetchInterval: every, retry: false });

export const keysQuery = (id: string) =>
  queryOptions({ queryKey: ["experiment", id, "keys"], queryFn: ({ signal }) => take(client.GET(`${base}/experiments/{id}/keys`, { params: { path: { id: Number(id) } }, signal })), refetchInterval: 4 * every });

export interface RunsAsked { experiment: string; view: LearningView; filter: string; order: string }

export const runsQuery = ({ experiment, view, filter, order }: RunsAsked) =>
  infiniteQueryOptions({
    queryKey: ["runs", experiment, view, filter, order],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/runs`, { params: { query: { experiment: Number(experiment), view, limit: 500, ...(filter ? { filter } : {}), ...(order ? { order: [order] } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    retry: false,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 || query.state.error ? false : every),
  });

export const isLive = (run: Run | undefined): boolean => run?.status === "RUNNING" || run?.status === "SCHEDULED";

export const runQuery = (id: string) =>
  queryOptions({ queryKey: ["run", id], queryFn: ({ signal }) => take(client.GET(`${base}/runs/{id}`, { params: { path: { id } }, signal })), retry: false, refetchInterval: (query) => (isLive(query.state.data) ? live : false) });

export const historyQuery = (id: string, key: string, running: boolean) =>
  queryOptions({ queryKey: ["run", id, "history", key], queryFn: ({ signal }) => take(client.GET(`${base}/runs/{id}/history`, { params: { path: { id }, query: { key, points: 1000 } }, signal })), refetchInterval: running ? live : false });

export const filesQuery = (id: string, path: string, running: boolean) =>
  queryOptions({ queryKey: ["run", id, "files", path], queryFn: ({ signal }) => take(client.GET(`${base}/runs/{id}/files`, { params: { path: { id }, query: path ? { path } : {} }, signal })), refetchInterval: running ? every : false });

/** Where a file of a run can be fetched. */
export const fileAddress = (run: string, path: string): string => `/get-artifact?${new URLSearchParams({ run_id: run, path }).toString()}`;

/** A condition of MLflow's grammar that a text contains another. */
export function contains(field: string, text: string): string {
  const quote = text.includes("'") ? '"' : "'";
  return `${field} ILIKE ${quote}%${text}%${quote}`;
}

/** A key as MLflow's grammar reads it: metrics.loss, params.`learning rate`. */
export const fieldOf = (kind: "metrics" | "params" | "tags", key: string): string => `${kind}.${/^[A-Za-z_][\w.]*$/.test(key) ? key : `\`${key}\``}`;

export const purgeDeleted = {
  preview: (deletedDaysAgo: number) => take(client.POST(`${base}/experiments/purges/preview`, { body: { deletedDaysAgo } })),
  ask: (deletedDaysAgo: number, reason: string) => take(client.POST(`${base}/experiments/purges`, { body: { deletedDaysAgo, reason } })),
};
