import { useMediaQuery } from "@mantine/hooks";
import { useCallback, useMemo } from "react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { deliveriesQuery } from "../api/queries";
import { DataTable } from "../kit/DataTable";
import { Failure, Loading } from "../kit/States";
import { narrowColumns, ofIncident } from "./columns";

/** Who was told of an incident. */
export function useTold(incident: string) {
  const query = useInfiniteQuery(deliveriesQuery({ incident }));
  const rows = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  return { rows, query };
}

export function ToldTab({ incident }: { incident: string }) {
  const narrow = useMediaQuery("(max-width: 760px)");
  const { rows, query } = useTold(incident);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  if (query.isPending) return <Loading rows={3} label="Loading deliveries" />;
  if (query.isError && rows.length === 0) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (rows.length === 0) return <p className="dim">Nobody was told of this incident, and nobody is about to be.</p>;
  return <DataTable label="Deliveries of this incident" rows={rows} columns={narrow ? narrowColumns : ofIncident} rowId={(row) => row.id} rowName={(row) => row.id} rowHeight={narrow ? 58 : 36} maxHeight="60vh" onEnd={more} />;
}
