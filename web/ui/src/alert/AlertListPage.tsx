import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { Button } from "@mantine/core";
import { useCallback, useEffect, useMemo, useState } from "react";
import { alertsQuery, alertSummaryQuery, statsQuery } from "../api/queries";
import { DataTable } from "../kit/DataTable";
import { FilterBar } from "../kit/FilterBar";
import { formatFilter, parseFilter } from "../kit/filter";
import { formatCount } from "../kit/numbers";
import { SavedViews } from "../kit/SavedViews";
import { Empty, Failure, Loading } from "../kit/States";
import { hostAndPort, prometheusLines } from "../kit/useAddress";
import viewClasses from "../kit/Views.module.css";
import { Csv } from "../kit/Csv";
import { allRows, mostRows } from "../kit/pages";
import classes from "./alert.module.css";
import { listColumns, middleColumns, narrowColumns } from "./columns";
import { Explore } from "./Explore";
import { listChoices, listKeys, toAlertParameters } from "./filter";
import { useSorted } from "./useSorted";

const fewest = 50;

/** Every alert, told or not. */
export function AlertListPage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const q = search.q ?? "";
  const [text] = useDebouncedValue(q, 120);
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1340px)");
  const filter = useMemo(() => parseFilter(text, listKeys), [text]);
  const [asked] = useState(() => Date.now());
  const parameters = useMemo(() => toAlertParameters(filter, search, asked), [filter, search, asked]);
  const query = useInfiniteQuery({ ...alertsQuery(parameters), placeholderData: (old) => old });
  const { data: summary } = useQuery(alertSummaryQuery(parameters));
  const { data: stats } = useQuery(statsQuery);
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const rows = useSorted(loaded, search.sort);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const pages = query.data?.pages.length ?? 0;
  // Sorting needs all rows. A search that found too few for a screen goes on, as far as the server has alerts.
  const needsMore = search.sort === undefined ? loaded.length < fewest : loaded.length < mostRows;
  useEffect(() => { if (needsMore) more(); }, [needsMore, pages, more]);
  const distinct = stats?.alerts.distinct ?? 0;
  const [seen, setSeen] = useState(0);
  if (seen === 0 && distinct > 0) setSeen(distinct);
  const fresh = seen === 0 ? 0 : Math.max(0, distinct - seen);
  const refresh = (): void => { setSeen(distinct); void query.refetch(); };
  const set = (change: { q?: string; sort?: string | undefined; from?: string | undefined; to?: string | undefined }): void => void navigate({ to: "/alerts", search: { ...search, ...change }, replace: true });

  return (
    <>
      <header className={classes.head}>
        <h1 className={classes.title}>Alerts</h1>
        <Views q={q} />
        <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
          <FilterBar value={q} onChange={(value) => set({ q: value })} choices={listChoices} placeholder="Filter: state:firing told:no region=~eu-.* payment" label="Filter alerts" />
          {rows.length > 0 && <span className="wide-only"><Csv name="fairlead-alerts" rows={() => allRows(query)} what="the alerts" /></span>}
          {fresh > 0 && <Button radius="xl" size="compact-sm" onClick={refresh}>{formatCount(fresh)} new</Button>}
          <span className="dim" aria-live="polite">{query.isPending ? "" : hasNextPage && summary ? `${formatCount(Math.max(summary.alerts, rows.length))}${summary.complete ? "" : "+"}` : `${formatCount(rows.length)}${hasNextPage ? "+" : ""}`}</span>
        </div>
      </header>
      <Explore parameters={parameters} filter={filter} onFilter={(next) => set({ q: formatFilter(next) })} range={search.from !== undefined || search.to !== undefined} onRange={(from, to) => set({ from, to })} />
      {query.isPending && <Loading label="Loading alerts" />}
      {query.isError && loaded.length === 0 && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && hasNextPage && <Loading label="Searching older alerts" />}
      {query.isSuccess && rows.length === 0 && !hasNextPage && ((stats?.alerts.received ?? 0) > 0
        ? <Empty title="No alert matches">{q === "" ? "Alerts appear here once they arrive." : `The filter is “${q}”.`}</Empty>
        : <Empty title="No alert has arrived yet" paste={{ caption: "Put this into prometheus.yml and reload Prometheus:", lines: prometheusLines(hostAndPort()) }}>Every alert that a sender reports is kept here, told or not.</Empty>)}
      {rows.length > 0 && <DataTable label="Alerts" rows={rows} columns={narrow ? narrowColumns : middle ? middleColumns : listColumns} rowId={(row) => row.id} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} sort={search.sort} onSort={(sort) => set({ sort: sort || undefined })} onEnd={more} />}
    </>
  );
}

const views = [{ word: "All", q: "" }, { word: "Firing", q: "state:firing" }, { word: "Nobody was told", q: "told:no" }, { word: "Silenced", q: "disposition:silenced" }];

function Views({ q }: { q: string }) {
  return (
    <div className={viewClasses.views} role="group" aria-label="Views">
      {views.map((view) => <Link key={view.word} to="/alerts" search={{ q: view.q }} className={viewClasses.view} data-on={view.q === q || undefined} aria-current={view.q === q ? "page" : undefined}>{view.word}</Link>)}
      <SavedViews page="alerts" to="/alerts" q={q} known={views.some((view) => view.q === q)} />
    </div>
  );
}
