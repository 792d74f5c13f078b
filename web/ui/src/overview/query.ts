// What the overview asks for besides what other pages keep already.
import { queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";

const base = "/api/fairlead/v1";
const every = 15_000;

/** The incidents that one has to handle, the newest first, at most so many. */
export const currentQuery = queryOptions({
  queryKey: ["overview", "incidents"], // not below "incidents": those are lists of pages, patched by what happens
  queryFn: ({ signal }) => take(client.GET(`${base}/incidents`, { params: { query: { state: ["open", "acknowledged"], limit: 500 } }, signal })),
  refetchInterval: 5_000,
});

export const failedQuery = queryOptions({ queryKey: ["deliveries", "failed"], queryFn: ({ signal }) => take(client.GET(`${base}/deliveries`, { params: { query: { state: "failed", limit: 100 } }, signal })), refetchInterval: every, retry: false });

export const activeSilencesQuery = queryOptions({ queryKey: ["silences", "active"], queryFn: ({ signal }) => take(client.GET(`${base}/silences`, { params: { query: { state: ["active"], limit: 1000 } }, signal })), refetchInterval: every });

export const missingQuery = queryOptions({ queryKey: ["heartbeats", "overview"], queryFn: ({ signal }) => take(client.GET(`${base}/heartbeats`, { params: { query: { limit: 500 } }, signal })), refetchInterval: every });
