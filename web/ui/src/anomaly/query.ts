// What was abnormal, and how much of it people are told.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";

export type Anomaly = components["schemas"]["Anomaly"];
export type AnomalyFinding = components["schemas"]["AnomalyFinding"];
export type AnomalyBudget = components["schemas"]["AnomalyBudget"];
export type Feedback = Anomaly["feedback"];

const base = "/api/fairlead/v1";

export const anomalyKey = ["anomalies"] as const;

export interface Wanted {
  told: boolean;
  /** An entity such as service:checkout, or a metric. */
  of: string;
}

export const anomaliesQuery = ({ told, of }: Wanted) =>
  infiniteQueryOptions({
    queryKey: [...anomalyKey, "list", told, of],
    queryFn: ({ pageParam, signal }) => {
      const about = of === "" ? {} : of.includes(":") && !of.startsWith("metric:") ? { entity: of } : { metric: of.replace(/^metric:/, "") };
      return take(client.GET(`${base}/anomalies`, { params: { query: { ...(told ? { told } : {}), ...about, ...(pageParam ? { cursor: pageParam } : {}), limit: 100 } }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : 5_000),
  });

export const anomalyQuery = (id: string) =>
  queryOptions({ queryKey: [...anomalyKey, "one", id], queryFn: ({ signal }) => take(client.GET(`${base}/anomalies/{id}`, { params: { path: { id } }, signal })), refetchInterval: 10_000 });

export const budgetQuery = queryOptions({ queryKey: [...anomalyKey, "budget"], queryFn: ({ signal }) => take(client.GET(`${base}/anomalies/budget`, { signal })), refetchInterval: 10_000 });

export const judge = (id: string, feedback: Feedback) => take(client.POST(`${base}/anomalies/{id}/feedback`, { params: { path: { id } }, body: { feedback } }));
