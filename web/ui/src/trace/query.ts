// Traces of an experiment, and one with its spans.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";

export type Trace = components["schemas"]["Trace"];
export type TraceTree = components["schemas"]["TraceTree"];
export type TraceSpan = components["schemas"]["TraceSpan"];
export type Judgement = components["schemas"]["TraceJudgement"];

const base = "/api/fairlead/v1";
const every = 5_000;

export const tracesQuery = (experiment: string, filter: string, order: string) =>
  infiniteQueryOptions({
    queryKey: ["traces", experiment, filter, order],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/traces`, { params: { query: { experiment: Number(experiment), limit: 200, ...(filter ? { filter } : {}), ...(order ? { order: [order] } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    retry: false,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 || query.state.error ? false : every),
  });

export const traceQuery = (id: string) =>
  queryOptions({
    queryKey: ["trace", id],
    queryFn: ({ signal }) => take(client.GET(`${base}/traces/{id}`, { params: { path: { id } }, signal })),
    retry: false,
    refetchInterval: (query) => (query.state.data?.trace.state === "IN_PROGRESS" || query.state.data?.spans.length === 0 ? every : false),
  });

/** The order of a list of traces, as the server knows it: "-took" is the longest first. */
export function orderOf(sort: string | undefined): string {
  if (!sort) return "";
  const field = { name: "name", state: "status", start: "timestamp", took: "execution_time" }[sort.replace(/^-/, "")];
  return field ? `${field} ${sort.startsWith("-") ? "DESC" : "ASC"}` : "";
}

/** What traces can be filtered by, for the completion. */
export const traceFields: readonly string[] = [
  "attributes.status", "attributes.name", "attributes.timestamp_ms", "attributes.execution_time_ms", "attributes.run_id", "attributes.client_request_id", "trace.text",
  "span.name", "span.type", "span.status", "span.content", "tags.", "metadata.", "feedback.", "expectation.",
];
export const traceValues: Readonly<Record<string, readonly string[]>> = {
  "attributes.status": ["OK", "ERROR", "IN_PROGRESS"], "span.status": ["OK", "ERROR", "UNSET"], "span.type": ["CHAT_MODEL", "LLM", "CHAIN", "AGENT", "TOOL", "RETRIEVER", "EMBEDDING", "RERANKER", "PARSER"],
};
