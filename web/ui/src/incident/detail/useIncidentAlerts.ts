import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo } from "react";
import { incidentAlertsQuery } from "../../api/queries";

/** As many alerts as the charts draw; tables load the rest while one scrolls. */
const drawn = 2_000;

export function useIncidentAlerts(id: string) {
  const query = useInfiniteQuery(incidentAlertsQuery(id));
  const alerts = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  useEffect(() => { if (alerts.length < drawn) more(); }, [alerts.length, more]);
  return { alerts, more, complete: !hasNextPage, error: query.error, isPending: query.isPending };
}
