// Filters that people have named.
import { queryOptions } from "@tanstack/react-query";
import { client, take } from "./client";
import type { components } from "./schema";

export type SavedView = components["schemas"]["SavedView"];

const base = "/api/fairlead/v1";

export const viewsKey = (page: string) => ["views", page] as const;

export const viewsQuery = (page: string) => queryOptions({ queryKey: viewsKey(page), staleTime: 60_000, queryFn: () => take(client.GET(`${base}/me/views`, { params: { query: { page } } })) });

export const saveView = (page: string, name: string, query: string, shared: boolean) => take(client.PUT(`${base}/me/views`, { body: { page, name, query, shared } }));
export const deleteView = (id: string) => take(client.DELETE(`${base}/me/views/{id}`, { params: { path: { id } } }));
