import { useDebouncedValue, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { deliveriesQuery } from "../api/queries";
import { deliveryStates } from "../api/types";
import { DataTable } from "../kit/DataTable";
import { FilterBar } from "../kit/FilterBar";
import { parseFilter } from "../kit/filter";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import { columns, narrowColumns } from "./columns";
import { Csv } from "../kit/Csv";
import { allRows } from "../kit/pages";
import classes from "./delivery.module.css";
import { deliveryKeys, deliveryMatches, toDeliveryParameters } from "./filter";

/** Who was told of what, with which result, and who was not and why. */
export function DeliveryListPage() {
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const q = search.q ?? "";
  const [text] = useDebouncedValue(q, 120);
  const filter = useMemo(() => parseFilter(text, deliveryKeys), [text]);
  const query = useInfiniteQuery({ ...deliveriesQuery(toDeliveryParameters(filter)), placeholderData: (old) => old });
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const rows = useMemo(() => loaded.filter((delivery) => deliveryMatches(delivery, filter)), [loaded, filter]);
  const receivers = useMemo(() => [...new Set([...loaded.map((d) => d.receiver), ...(filter.terms.receiver ?? [])])].sort(), [loaded, filter]);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = (id: string): void => {
    const incident = rows.find((row) => row.id === id)?.incident;
    if (incident) void navigate({ to: "/incidents/$id", params: { id: incident }, search: { tab: "told" } });
  };
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), open);
  return (
    <>
      <PageHead title="Deliveries" actions={rows.length > 0 ? <Csv name="fairlead-deliveries" rows={async () => (await allRows(query)).filter((delivery) => deliveryMatches(delivery, filter))} what="the deliveries" /> : undefined}>Who was told of what, and how it went. Pending ones are tried again; muted ones were held back by an inhibition or a mute time of alertmanager.yml.</PageHead>
      <div className={classes.filters} hidden={q === "" && query.isSuccess && loaded.length === 0}>
        <FilterBar value={q} onChange={(value) => void navigate({ to: ".", search: { ...search, q: value || undefined }, replace: true })} choices={{ state: deliveryStates, receiver: receivers, incident: [] }} placeholder="Filter: state:failed receiver:team-payments" label="Filter deliveries" />
        <span className="dim" aria-live="polite">{query.isPending ? "" : `${formatCount(rows.length)}${hasNextPage ? "+" : ""}`}</span>
      </div>
      {query.isPending && <Loading label="Loading deliveries" />}
      {query.isError && loaded.length === 0 && <Failure error={query.error} retry={() => void query.refetch()} />}
      {query.isSuccess && rows.length === 0 && (q === ""
        ? <Empty title="Nobody has been told of anything yet" paste={{ caption: "Take your receivers over from Alertmanager, as they are: see what that gives, then put it into fairlead.yml.", lines: "fairlead import alertmanager /etc/alertmanager/alertmanager.yml" }}>Every delivery is listed here with its result: to whom, of which incident, how often it was tried, and why it failed or was muted.</Empty>
        : <Empty title="No delivery matches">{`The filter is “${q}”.`}</Empty>)}
      {rows.length > 0 && <DataTable label="Deliveries" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.id} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
    </>
  );
}
