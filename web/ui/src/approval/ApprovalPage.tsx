import { Button } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import { meQuery } from "../api/session";
import { DataTable } from "../kit/DataTable";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import viewClasses from "../kit/Views.module.css";
import { ApprovalDrawer } from "./ApprovalDrawer";
import { columns, narrowColumns } from "./columns";
import { PurgeDialog } from "./PurgeDialog";
import { Csv } from "../kit/Csv";
import { approvalsQuery, waitingQuery, type ApprovalFilter } from "./query";

const ended = ["approved", "executed", "failed", "rejected", "cancelled", "expired"] as const;

/** What people ask others for: deleting for good takes two. */
export function ApprovalPage() {
  const { q, pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const { data: me } = useQuery(meQuery);
  const { data: waiting } = useQuery(waitingQuery);
  const [purging, setPurging] = useState(false);
  const view = q ?? "waiting";
  const filter: ApprovalFilter = view === "mine" ? { requester: me?.user ?? "" } : view === "decided" ? { state: [...ended] } : { state: ["pending"] };
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...approvalsQuery(filter), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const show = useCallback((id: string | undefined): void => void navigate({ to: "/approvals", search: (old) => ({ ...old, pick: id }) }), [navigate]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), show);
  const views = [{ word: "Waiting", q: undefined, count: waiting?.items.length }, { word: "Asked by me", q: "mine" }, { word: "Decided", q: "decided" }];
  return (
    <>
      <PageHead title="Approvals" actions={<>{rows.length > 0 && <Csv name="fairlead-approvals" rows={rows} what="the approvals loaded" />}{me?.admin && <Button variant="default" onClick={() => setPurging(true)}>Ask for a purge…</Button>}</>}>What cannot be undone needs a second person: one asks, another decides, and then it is done once.</PageHead>
      <div className={viewClasses.views} style={{ margin: "0 16px 8px" }} role="group" aria-label="Views">
        {views.map((v) => <Link key={v.word} to="/approvals" search={v.q ? { q: v.q } : {}} className={viewClasses.view} data-on={v.q === q || undefined} aria-current={v.q === q ? "page" : undefined}>{v.word}{v.count !== undefined && <span className="dim"> {v.count}</span>}</Link>)}
      </div>
      {isPending && <Loading label="Loading approvals" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && rows.length === 0 && <Empty title={view === "mine" ? "You have asked for nothing" : view === "decided" ? "Nothing was decided yet" : "Nothing waits for a decision"}>Deleting an integration, purging for good and pointing an alias to a version of a model are asked for here. An approver or admin who did not ask decides; what nobody decides in time expires.</Empty>}
      {rows.length > 0 && <DataTable label="Approvals" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.summary} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
      {pick && <ApprovalDrawer key={pick} id={pick} onClose={() => show(undefined)} />}
      {purging && <PurgeDialog onClose={() => setPurging(false)} onAsked={(id) => { setPurging(false); show(id); }} />}
    </>
  );
}
