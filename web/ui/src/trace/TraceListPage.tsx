import { useMediaQuery } from "@mantine/hooks";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useCallback, useMemo } from "react";
import classes from "../experiment/experiment.module.css";
import { experimentQuery } from "../experiment/query";
import { RunFilter } from "../experiment/RunFilter";
import { Csv } from "../kit/Csv";
import { DataTable, type Column } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import { ExperimentViews } from "./ExperimentViews";
import { orderOf, traceFields, tracesQuery, traceValues, type Trace } from "./query";
import { StateMark } from "./StateMark";
import { sayTook } from "./tree";

const column = createColumnHelper<Trace>();
const short = 14;
const titleOf = (t: Trace): string => t.name || `${t.id.slice(0, short)}…`;
const Name = ({ of }: { of: Trace }) => <Link to="/traces/$id" params={{ id: of.id }} search={{}} className={classes.name} title={of.id}>{titleOf(of)}</Link>;

/** The begin of what was asked or answered: a text in JSON without its quotes, nothing as a dash. */
function Said({ json }: { json: string }) {
  const text = json.startsWith('"') ? json.replace(/^"|"$/g, "").replaceAll('\\"', '"').replaceAll("\\n", " ") : json;
  return text && text !== "null" ? <span title={text}>{text}</span> : <span className="dim">–</span>;
}

const columns: Column<Trace>[] = [
  column.display({ id: "name", header: "Trace", meta: { sort: "name", width: 220 }, cell: (c) => <Name of={c.row.original} /> }),
  column.accessor("state", { header: "State", meta: { sort: "state", width: 116 }, cell: (c) => <StateMark state={c.row.original.state} /> }),
  column.accessor("request", { header: "Asked", cell: (c) => <Said json={c.row.original.request} /> }),
  column.accessor("response", { header: "Answered", cell: (c) => <Said json={c.row.original.response} /> }),
  column.display({ id: "said", header: "Judged", meta: { width: 90, right: true }, cell: (c) => (c.row.original.judgements.length ? formatCount(c.row.original.judgements.length) : <span className="dim">–</span>) }),
  column.accessor("tokens", { header: "Tokens", meta: { width: 84, right: true }, cell: (c) => (c.row.original.tokens === undefined ? <span className="dim">–</span> : formatCount(c.row.original.tokens)) }),
  column.accessor("took", { header: "Took", meta: { sort: "took", width: 90, right: true }, cell: (c) => (c.row.original.took === undefined ? <span className="dim">–</span> : sayTook(c.row.original.took)) }),
  column.accessor("startedAt", { header: "Started", meta: { sort: "start", width: 112, right: true }, cell: (c) => <Time at={c.row.original.startedAt} /> }),
];

const narrowColumns: Column<Trace>[] = [
  column.display({ id: "name", header: "Trace", cell: ({ row: { original: t } }) => <div className={classes.stacked}><Name of={t} /><span className={classes.under}><StateMark state={t.state} /><span className="dim"><Time at={t.startedAt} />{t.took !== undefined && `, ${sayTook(t.took)}`}</span></span></div> }),
];

/** The lines that send the first trace. */
const lines = (origin: string, id: string): string => `export MLFLOW_TRACKING_URI=${origin} MLFLOW_EXPERIMENT_ID=${id}
python -c "import mlflow; mlflow.trace(lambda q: 'because')('why?')"`;

/** The traces of an experiment: what its applications with language models did. */
export function TraceListPage() {
  const { id } = useParams({ from: "/experiments/$id/traces" });
  const { q = "", sort } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const { data: experiment, error: unknown, refetch: again } = useQuery(experimentQuery(id));
  const query = useInfiniteQuery({ ...tracesQuery(id, q, orderOf(sort)), placeholderData: (old) => old });
  const { data, error, isPending, isFetching, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const rows = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage && !error) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage, error]);
  const go = useCallback((change: Record<string, string | undefined>): void => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, ...change }) }), [navigate]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.id), (trace) => void navigate({ to: "/traces/$id", params: { id: trace }, search: {} }));
  if (unknown && !experiment) return <Failure error={unknown} retry={() => void again()} />;
  const flat = (): object[] => rows.map((t) => ({ trace: t.id, name: t.name, state: t.state, started: t.startedAt, took_ms: t.took, tokens: t.tokens, request: t.request, response: t.response, run: t.run, session: t.session, user: t.user }));
  return (
    <>
      <PageHead title={experiment?.name ?? `Experiment ${id}`} actions={<Csv name={`traces-${id}`} rows={() => Promise.resolve(flat())} what="the traces loaded" />}>
        <Link to="/experiments" search={{}} className={`link ${classes.crumb}`}>Experiments</Link> · id {id} · {formatCount(rows.length)}{hasNextPage && "+"} traces
      </PageHead>
      <div className={classes.bar}>
        <ExperimentViews id={id} on="traces" />
        <RunFilter key={q} text={q} what="traces" example="attributes.status = 'ERROR' AND span.name = 'retrieve'" fields={traceFields} values={traceValues} busy={isFetching && q !== ""} onAsk={(text) => go({ q: text || undefined })} />
      </div>
      {error && !isFetching && <Failure error={error} retry={() => void refetch()} />}
      {isPending && <Loading label="Loading traces" />}
      {data && !error && rows.length === 0 && (q ? <Empty title="No trace is so">Change the filter above.</Empty>
        : <Empty title="No trace has come yet" paste={{ caption: "Two lines send the first:", lines: lines(window.location.origin, id) }}>MLflow's tracing and any OpenTelemetry exporter with the header <span className="mono">x-mlflow-experiment-id: {id}</span> send theirs here.</Empty>)}
      {rows.length > 0 && !error && <DataTable label="Traces" rows={rows} columns={narrow ? narrowColumns : columns} rowId={(row) => row.id} rowName={titleOf} sort={sort} onSort={(next) => go({ sort: next || undefined })} rowHeight={narrow ? 58 : 36} active={active} onActive={setActive} onEnd={more} />}
    </>
  );
}
