// Who can be named or be given something, and where one was named.
import { client, take } from "./client";
import type { components } from "./schema";

export type Person = components["schemas"]["Person"];
export type Mention = components["schemas"]["Mention"];

const base = "/api/fairlead/v1";

export const peopleQuery = { queryKey: ["people"], staleTime: 60_000, queryFn: () => take(client.GET(`${base}/people`)) } as const;

export const mentionKey = ["mentions"] as const;

/** The newest places in which one was named. */
export const mentionsQuery = { queryKey: mentionKey, refetchInterval: 30_000, queryFn: () => take(client.GET(`${base}/me/mentions`, { params: { query: { limit: 50 } } })) } as const;

/** Says that one has seen these mentions; none means all. */
export const seeMentions = (steps: string[]) => take(client.POST(`${base}/me/mentions/seen`, { body: { steps } }));
