// Silences: what is muted for a time, by whom and why.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components, paths } from "../api/schema";

export type Silence = components["schemas"]["Silence"];
export type SilenceEdit = components["schemas"]["SilenceEdit"];
export type SilenceFilter = Omit<NonNullable<paths["/api/fairlead/v1/silences"]["get"]["parameters"]["query"]>, "cursor" | "limit">;

const base = "/api/fairlead/v1";
const every = 5_000;

export const silenceKey = ["silences"] as const;

export const silencesQuery = (filter: SilenceFilter) =>
  infiniteQueryOptions({
    queryKey: [...silenceKey, filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/silences`, { params: { query: { ...filter, ...(pageParam ? { cursor: pageParam } : {}), limit: 500 } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const silenceQuery = (id: string) => queryOptions({ queryKey: [...silenceKey, "one", id], queryFn: ({ signal }) => take(client.GET(`${base}/silences/{id}`, { params: { path: { id } }, signal })) });

export const silence = {
  create: (body: SilenceEdit) => take(client.POST(`${base}/silences`, { body })),
  update: (id: string, version: number, body: SilenceEdit) => take(client.PUT(`${base}/silences/{id}`, { params: { path: { id }, header: { "If-Match": version } }, body })),
  expire: (id: string) => take(client.POST(`${base}/silences/{id}/expire`, { params: { path: { id } } })),
};
