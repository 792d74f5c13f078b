import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { alertsQuery, statsQuery } from "../api/queries";
import { DataTable } from "../kit/DataTable";
import { FilterBar } from "../kit/FilterBar";
import { parseFilter } from "../kit/filter";
import { formatCount } from "../kit/numbers";
import { Empty, Failure, Loading } from "../kit/States";
import { hostAndPort, prometheusLines } from "../kit/useAddress";
import classes from "./alert.module.css";
import { listColumns, middleColumns, narrowColumns } from "./columns";
import { alertChoices, alertKeys, alertMatches, isLocal, toAlertParameters } from "./filter";
import { useSorted } from "./useSorted";

const mostSearched = 10_000;

/** Every alert, told or not. */
export function AlertListPage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const q = search.q ?? "";
  const [text] = useDebouncedValue(q, 120);
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1340px)");
  const filter = useMemo(() => parseFilter(text, alertKeys), [text]);
  const query = useInfiniteQuery({ ...alertsQuery(toAlertParameters(filter)), placeholderData: (old) => old });
  const { data: stats } = useQuery(statsQuery);
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const found = useMemo(() => loaded.filter((alert) => alertMatches(alert, filter, false)), [loaded, filter]);
  const rows = useSorted(found, search.sort);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const needsAll = search.sort !== undefined || isLocal(filter);
  useEffect(() => { if (needsAll && loaded.length < mostSearched) more(); }, [needsAll, loaded.length, more]);
  const distinct = stats?.alerts.distinct ?? 0;
  const [seen, setSeen] = useState(0);
  if (seen === 0 && distinct > 0) setSeen(distinct);
  const fresh = seen === 0 ? 0 : Math.max(0, distinct - seen);
  const refresh = (): void => { setSeen(distinct); void query.refetch(); };
  const set = (change: { q?: string; sort?: string | undefined }): void => void navigate({ to: "/alerts", search: { ...search, ...change }, replace: true });

  return (
    <>
      <header className={classes.head}>
        <h1 className={classes.title}>Alerts</h1>
        <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
          <FilterBar value={q} onChange={(value) => set({ q: value })} choices={alertChoices} placeholder="Filter: state:firing told:no payment" label="Filter alerts" />
          {fresh > 0 && <Button radius="xl" size="compact-sm" onClick={refresh}>{formatCount(fresh)} new</Button>}
          <span className="dim" aria-live="polite">{query.isPending ? "" : `${formatCount(rows.length)}${hasNextPage ? "+" : ""}`}</span>
        </div>
      </header>
      {query.isPending && <Loading label="Loading alerts" />}
      {query.isError && loaded.length === 0 && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && !isFetchingNextPage && ((stats?.alerts.received ?? 0) > 0
        ? <Empty title="No alert matches">{q === "" ? "Alerts appear here once they arrive." : `The filter is “${q}”.`}</Empty>
        : <Empty title="No alert has arrived yet" paste={{ caption: "Put this into prometheus.yml and reload Prometheus:", lines: prometheusLines(hostAndPort()) }}>Every alert that a sender reports is kept here, told or not.</Empty>)}
      {rows.length > 0 && <DataTable label="Alerts" rows={rows} columns={narrow ? narrowColumns : middle ? middleColumns : listColumns} rowId={(row) => row.id} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} sort={search.sort} onSort={(sort) => set({ sort: sort || undefined })} onEnd={more} />}
    </>
  );
}
