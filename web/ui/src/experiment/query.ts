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

/** What has files: a run, or a logged model; live while more may come. */
export interface Keeper { kind: "run" | "model"; id: string; location: string; live: boolean }

export const loggedModelQuery = (id: string) =>
  queryOptions({ queryKey: ["logged model", id], queryFn: ({ signal }) => take(client.GET(`${base}/logged-models/{id}`, { params: { path: { id } }, signal })), retry: false });

export const filesQuery = (of: Keeper, path: string) =>
  queryOptions({
    queryKey: [of.kind, of.id, "files", path],
    queryFn: ({ signal }) => {
      const asked = { params: { path: { id: of.id }, query: path ? { path } : {} }, signal };
      return of.kind === "run" ? take(client.GET(`${base}/runs/{id}/files`, asked)) : take(client.GET(`${base}/logged-models/{id}/files`, asked));
    },
    refetchInterval: of.live ? every : false,
  });

/** Where a file can be fetched. */
export function fileAddress(of: Keeper, path: string): string {
  if (of.kind === "run") return `/get-artifact?${new URLSearchParams({ run_id: of.id, path }).toString()}`;
  const whole = `${of.location.replace(/^mlflow-artifacts:\/*/, "")}/${path}`;
  return `/api/2.0/mlflow-artifacts/artifacts/${whole.split("/").map(encodeURIComponent).join("/")}`;
}

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
