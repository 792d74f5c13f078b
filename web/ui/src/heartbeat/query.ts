// Who is expected to be heard.
import { infiniteQueryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";

export type Heartbeat = components["schemas"]["Heartbeat"];
export type HeartbeatState = Heartbeat["state"];

export const heartbeatStates: readonly HeartbeatState[] = ["missing", "heard", "waiting", "paused"];

const base = "/api/fairlead/v1";
const every = 3_000;

export const heartbeatKey = ["heartbeats"] as const;

export const heartbeatsQuery = (state: HeartbeatState | undefined) =>
  infiniteQueryOptions({
    queryKey: [...heartbeatKey, state],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/heartbeats`, { params: { query: { ...(state ? { state } : {}), ...(pageParam ? { cursor: pageParam } : {}), limit: 200 } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const pause = (id: string) => take(client.POST(`${base}/heartbeats/{id}/pause`, { params: { path: { id } } }));
export const resume = (id: string) => take(client.POST(`${base}/heartbeats/{id}/resume`, { params: { path: { id } } }));
export const forget = (id: string) => take(client.DELETE(`${base}/heartbeats/{id}`, { params: { path: { id } } }));
