// How a time went for those who were on call.
import { queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components, paths } from "../api/schema";

export type Analytics = components["schemas"]["Analytics"];
export type Figure = components["schemas"]["Figure"];
export type Spread = components["schemas"]["Spread"];
export type Burden = components["schemas"]["Burden"];
export type TeamFigure = components["schemas"]["AnalyticsTeam"];
export type PeriodFigure = components["schemas"]["AnalyticsPeriod"];
export type AnalyticsFilter = NonNullable<paths["/api/fairlead/v1/analytics"]["get"]["parameters"]["query"]>;

const base = "/api/fairlead/v1";

/** The last days up to the server's now, which is a recording's while one is replayed. */
export const analyticsQuery = (days: number, filter: Omit<AnalyticsFilter, "from" | "to">) =>
  queryOptions({
    queryKey: ["analytics", days, filter],
    queryFn: async ({ signal }) => {
      const { now } = await take(client.GET(`${base}/clock`, { signal }));
      return take(client.GET(`${base}/analytics`, { params: { query: { ...filter, from: new Date(Date.parse(now) - days * 86_400_000).toISOString(), to: now } }, signal }));
    },
    refetchInterval: 60_000,
    placeholderData: (old) => old,
  });
