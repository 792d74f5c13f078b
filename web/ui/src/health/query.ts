// How the server itself is.
import { queryOptions } from "@tanstack/react-query";
import { client, take } from "../api/client";
import type { components } from "../api/schema";

export type Health = components["schemas"]["Health"];
export type Trend = components["schemas"]["Trend"];

export const healthQuery = queryOptions({ queryKey: ["health"], queryFn: ({ signal }) => take(client.GET("/api/fairlead/v1/health", { signal })), refetchInterval: 5_000 });
