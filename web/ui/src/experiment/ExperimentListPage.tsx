import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback, useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useCallback, useMemo, useState } from "react";
import { meQuery } from "../api/session";
import { formatBytes } from "../kit/bytes";
import { DataTable, type Column } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import viewClasses from "../kit/Views.module.css";
import classes from "./experiment.module.css";
import { PurgeDialog } from "./PurgeDialog";
import { experimentsQuery, type Experiment } from "./query";

const column = createColumnHelper<Experiment>();
const dim = (text: string) => <span className="dim">{text}</span>;
const Name = ({ of }: { of: Experiment }) => <Link to="/experiments/$id" params={{ id: of.id }} search={{}} className={classes.name} title={of.name}>{of.name}</Link>;

const columns: Column<Experiment>[] = [
  column.accessor("name", { header: "Name", cell: (c) => <Name of={c.row.original} /> }),
  column.accessor("id", { header: "Id", meta: { width: 110, right: true }, cell: (c) => dim(c.row.original.id) }),
  column.accessor("runs", { header: "Runs", meta: { width: 90, right: true }, cell: (c) => formatCount(c.row.original.runs) }),
  column.accessor("running", { header: "Running", meta: { width: 90, right: true }, cell: (c) => (c.row.original.running ? formatCount(c.row.original.running) : dim("–")) }),
  column.accessor("bytes", { header: "Files", meta: { width: 100, right: true }, cell: (c) => (c.row.original.files ? <span title={`${formatCount(c.row.original.files)} files`}>{formatBytes(c.row.original.bytes)}</span> : dim("–")) }),
  column.accessor("lastRunAt", { header: "Last run", meta: { width: 130, right: true }, cell: (c) => (c.row.original.lastRunAt ? <Time at={c.row.original.lastRunAt} /> : dim("never")) }),
  column.accessor("createdAt", { header: "Created", meta: { width: 130, right: true }, cell: (c) => <span className="dim"><Time at={c.row.original.createdAt} /></span> }),
];

const narrowColumns: Column<Experiment>[] = [
  column.accessor("name", { header: "Experiment", cell: (c) => <div className={classes.stacked}><Name of={c.row.original} /><span className="dim">{formatCount(c.row.original.runs)} runs{c.row.original.lastRunAt && <>, last <Time at={c.row.original.lastRunAt} /></>}</span></div> }),
];

/** The lines that send the runs of a Python program here. */
const lines = (origin: string): string => `export MLFLOW_TRACKING_URI=${origin}
python -c "import mlflow; mlflow.log_metric('accuracy', 0.93)"`;

export function ExperimentListPage() {
  const { q = "", tab } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const view = tab === "deleted" ? "deleted" : "active";
  const { data, error, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...experimentsQuery(q, view), placeholderData: (old) => old });
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), (id) => { if (id) void navigate({ to: "/experiments/$id", params: { id }, search: {} }); });
  const { data: me } = useQuery(meQuery);
  const [purging, setPurging] = useState(false);
  const [text, setText] = useState(q);
  const ask = useDebouncedCallback((next: string) => void navigate({ to: "/experiments", replace: true, search: (old) => ({ ...old, q: next || undefined }) }), 200);
  const fresh = view === "active" && q === "" && data !== undefined && rows.every((row) => row.runs === 0) && rows.length <= 1;
  return (
    <>
      <PageHead title="Experiments" actions={me?.admin && <Button variant="default" size="compact-xs" onClick={() => setPurging(true)}>Ask for a purge…</Button>}>Runs of training programs with their metrics, params and files. An unchanged MLflow client sends them here.</PageHead>
      <div className={classes.bar}>
        <div className={viewClasses.views} style={{ margin: 0 }} role="group" aria-label="Views">
          {(["active", "deleted"] as const).map((v) => <Link key={v} to="/experiments" search={(old) => ({ ...old, tab: v === "deleted" ? v : undefined })} className={viewClasses.view} data-on={v === view || undefined} aria-current={v === view ? "page" : undefined}>{v === "active" ? "Active" : "Deleted"}</Link>)}
        </div>
        <TextInput size="xs" className={classes.search} aria-label="Name contains" placeholder="Name contains" value={text} onChange={(event) => { setText(event.currentTarget.value); ask(event.currentTarget.value.trim()); }} />
      </div>
      {isPending && <Loading label="Loading experiments" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {fresh && <Empty title="No run has come yet" paste={{ caption: "Two lines send the first:", lines: lines(window.location.origin) }}>MLflow clients of versions 2 and 3 work unchanged. Runs of an earlier server come over with <span className="mono">fairlead import mlruns</span> or <span className="mono">fairlead import mlflow-db</span>.</Empty>}
      {data && !fresh && rows.length === 0 && <Empty title={q ? "No experiment has such a name" : "Nothing is deleted"}>{q ? "Change the text above." : "Deleted experiments stay here until they are purged."}</Empty>}
      {!fresh && rows.length > 0 && <DataTable label="Experiments" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={(row) => row.name} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
      {purging && <PurgeDialog onClose={() => setPurging(false)} />}
    </>
  );
}
