// What people ask others for.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components, paths } from "../api/schema";

export type Approval = components["schemas"]["Approval"];
export type PurgePreview = components["schemas"]["PurgePreview"];
export type ApprovalFilter = Omit<NonNullable<NonNullable<paths["/api/fairlead/v1/approvals"]["get"]["parameters"]["query"]>>, "cursor" | "limit">;

const base = "/api/fairlead/v1";
const every = 5_000;

export const approvalKey = ["approvals"] as const;

export const approvalsQuery = (filter: ApprovalFilter) =>
  infiniteQueryOptions({
    queryKey: [...approvalKey, filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/approvals`, { params: { query: { ...filter, ...(pageParam ? { cursor: pageParam } : {}), limit: 100 } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : every),
  });

export const approvalQuery = (id: string) =>
  queryOptions({ queryKey: [...approvalKey, "one", id], queryFn: ({ signal }) => take(client.GET(`${base}/approvals/{id}`, { params: { path: { id } }, signal })), refetchInterval: every });

/** What waits, for the number in the menu. */
export const waitingQuery = queryOptions({ queryKey: [...approvalKey, "waiting"], queryFn: ({ signal }) => take(client.GET(`${base}/approvals`, { params: { query: { state: ["pending"], limit: 200 } }, signal })), refetchInterval: 15_000 });

export const decide = {
  approve: (id: string, reason: string) => take(client.POST(`${base}/approvals/{id}/approve`, { params: { path: { id } }, body: { reason } })),
  reject: (id: string, reason: string) => take(client.POST(`${base}/approvals/{id}/reject`, { params: { path: { id } }, body: { reason } })),
  cancel: (id: string, reason: string) => take(client.POST(`${base}/approvals/{id}/cancel`, { params: { path: { id } }, body: { reason } })),
};

export const purge = {
  preview: (olderThanDays: number, matchers: string[]) => take(client.POST(`${base}/purges/preview`, { body: { olderThanDays, matchers } })),
  ask: (olderThanDays: number, matchers: string[], reason: string) => take(client.POST(`${base}/purges`, { body: { olderThanDays, matchers, reason } })),
};
