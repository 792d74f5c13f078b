// The audit log, and what proves it.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components, paths } from "../api/schema";
import { parseFilter, parseSpan } from "../kit/filter";

export type Entry = components["schemas"]["AuditEntry"];
export type AuditState = components["schemas"]["AuditState"];
type AuditFilter = Omit<NonNullable<paths["/api/fairlead/v1/audit"]["get"]["parameters"]["query"]>, "cursor" | "limit">;

const base = "/api/fairlead/v1";

export const auditKeys = ["who", "action", "object", "since", "decisions"] as const;

/** What the filter's text asks the API for. It takes one value of each; since is a span back from now. */
export function toParameters(text: string, now: number): AuditFilter {
  const { terms, text: words } = parseFilter(text, auditKeys);
  const [actor] = terms.who ?? [];
  const [action] = terms.action ?? [];
  const [object] = terms.object ?? [];
  const span = parseSpan(terms.since?.[0] ?? "");
  return {
    ...(actor ? { actor } : {}), ...(action ? { action } : {}), ...(object ? { object } : {}), ...(words ? { text: words } : {}),
    ...(span ? { since: new Date(Math.floor((now - span) / 60_000) * 60_000).toISOString() } : {}), ...(terms.decisions?.includes("yes") ? { decisions: true } : {}),
  };
}

export const auditQuery = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/audit`, { params: { query: { ...filter, ...(pageParam ? { cursor: pageParam } : {}), limit: 200 } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

export const entryQuery = (n: number) => queryOptions({ queryKey: ["audit", "one", n], queryFn: ({ signal }) => take(client.GET(`${base}/audit/leaves/{n}`, { params: { path: { n } }, signal })) });

/** The row of the newest leaf before this one about the same thing, to see what changed; undefined if there is none. */
export const beforeQuery = (entry: Entry) =>
  queryOptions({
    queryKey: ["audit", "before", entry.n],
    queryFn: async ({ signal }) => {
      const page = await take(client.GET(`${base}/audit`, { params: { query: { object: entry.object, until: new Date(Date.parse(entry.at) + 1).toISOString(), limit: 100 } }, signal }));
      return page.items.find((e) => e.n < entry.n && e.row !== undefined && e.action.split(".")[0] === entry.action.split(".")[0]) ?? null;
    },
    enabled: entry.row !== undefined && entry.object !== "",
  });

export const stateQuery = queryOptions({ queryKey: ["audit", "state"], queryFn: ({ signal }) => take(client.GET(`${base}/audit/state`, { signal })), refetchInterval: 15_000 });

/** The log as it is now, signed; it is text. */
export const getCheckpoint = () => take(client.GET(`${base}/audit/checkpoint`, { parseAs: "text" }));

export const getInclusion = (n: number, size: number) => take(client.GET(`${base}/audit/leaves/{n}/proof`, { params: { path: { n }, query: { size } } }));

export const getConsistency = (from: number, to: number) => take(client.GET(`${base}/audit/consistency`, { params: { query: { from, to } } }));
