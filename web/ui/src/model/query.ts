// Registered models and their versions.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";
import { contains } from "../experiment/query";

export type Model = components["schemas"]["RegisteredModel"];
export type Version = components["schemas"]["ModelVersion"];

const base = "/api/fairlead/v1";
const every = 5_000;

export const modelsQuery = (text: string) =>
  infiniteQueryOptions({
    queryKey: ["models", text],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/models`, { params: { query: { limit: 200, ...(text ? { filter: contains("name", text) } : {}), ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const modelQuery = (name: string) =>
  queryOptions({ queryKey: ["model", name], queryFn: ({ signal }) => take(client.GET(`${base}/models/{name}`, { params: { path: { name } }, signal })), refetchInterval: every, retry: false });

export const versionsQuery = (name: string) =>
  infiniteQueryOptions({
    queryKey: ["model", name, "versions"],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/models/{name}/versions`, { params: { path: { name }, query: { limit: 200, ...(pageParam ? { cursor: pageParam } : {}) } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const askAlias = (name: string, alias: string, version: number, reason: string) => take(client.PUT(`${base}/models/{name}/aliases/{alias}`, { params: { path: { name, alias } }, body: { version, reason } }));

export const registerVersion = (name: string, body: { run?: string; path?: string; logged?: string; description?: string }) => take(client.POST(`${base}/models/{name}/versions`, { params: { path: { name } }, body }));
