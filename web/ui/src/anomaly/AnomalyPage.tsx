import { SegmentedControl, TextInput } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { Csv } from "../kit/Csv";
import { DataTable } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import { AnomalyDrawer } from "./AnomalyDrawer";
import { BudgetTab } from "./BudgetTab";
import { columns, narrowColumns } from "./columns";
import { anomaliesQuery } from "./query";

const tabs = [{ value: "all", label: "All" }, { value: "told", label: "Told" }, { value: "budget", label: "Budget" }];

/** What was abnormal, with no rule written: the feed, and how much of it people are told. */
export function AnomalyPage() {
  const { tab = "all" } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  return (
    <>
      <PageHead title="Anomalies" actions={<SegmentedControl size="xs" aria-label="View" data={tabs} value={tab} onChange={(v) => void navigate({ to: ".", search: (old) => ({ ...old, tab: v === "all" ? undefined : v }) })} />}>
        Every series is judged by its own past. What is abnormal at one entity at one time is one anomaly; people are told of the rarest.
      </PageHead>
      {tab === "budget" ? <BudgetTab /> : <Feed told={tab === "told"} />}
      <AnomalyDrawer />
    </>
  );
}

function Feed({ told }: { told: boolean }) {
  const { q = "", anomaly } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...anomaliesQuery({ told, of: q }), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), (id) => void navigate({ to: ".", search: (old) => ({ ...old, anomaly: id }) }));
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  return (
    <>
      <Filter key={q} text={q} onFilter={(text) => void navigate({ to: ".", search: (old) => ({ ...old, q: text || undefined }) })} rows={rows} />
      {isPending && <Loading label="Loading the anomalies" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && (
        <Empty title={q ? "Nothing abnormal of this name" : told ? "People were told of no anomaly" : "Nothing abnormal so far"}>
          {q ? "Write an entity such as service:checkout, or the whole name of a metric." : <>Series are judged as soon as samples come; the first hours only teach. <Link to="/explore" search={{}} className="link">See what is stored</Link></>}
        </Empty>
      )}
      {rows.length > 0 && <DataTable label="Anomalies" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.title} rowHeight={narrow ? 58 : 36} active={anomaly ?? active} onActive={setActive} onEnd={more} />}
    </>
  );
}

function Filter({ text, onFilter, rows }: { text: string; onFilter: (text: string) => void; rows: readonly object[] }) {
  const [value, setValue] = useState(text);
  return (
    <form style={{ display: "flex", gap: 8, alignItems: "center", margin: "0 16px 8px" }} onSubmit={(event) => { event.preventDefault(); onFilter(value.trim()); }}>
      <TextInput style={{ flex: "0 1 360px" }} size="xs" aria-label="Entity or metric" placeholder="Entity or metric: service:checkout" value={value} onChange={(event) => setValue(event.currentTarget.value)} data-filter />
      <Csv name="fairlead-anomalies" rows={rows} what="the anomalies loaded" />
    </form>
  );
}
