import { Button, Select, Tabs } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useEffect, useMemo, useState } from "react";
import { Csv } from "../kit/Csv";
import { formatBytes } from "../kit/bytes";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useRowKeys } from "../kit/useRowKeys";
import { ExperimentViews } from "../trace/ExperimentViews";
import { ColumnPicker } from "./ColumnPicker";
import { allColumns, orderOf, readColumn, readColumns, usualColumns, valueOf, writeColumns } from "./columns";
import { fieldsOf, runValues } from "./complete";
import { Diff } from "./Diff";
import classes from "./experiment.module.css";
import { groupRows, type Row } from "./groups";
import { MetricCharts } from "./MetricCharts";
import { Parallel } from "./Parallel";
import { experimentQuery, keysQuery, runsQuery, type Experiment, type ExperimentKeys, type LearningView } from "./query";
import { RunFilter } from "./RunFilter";
import { RunTable } from "./RunTable";
import { Scatter } from "./Scatter";

const drawn = 10;
const grouped = 10_000;
const none: ExperimentKeys = { metrics: [], params: [], tags: [] };

export function ExperimentPage() {
  const { id } = useParams({ from: "/experiments/$id" });
  const { data, error, isPending, refetch } = useQuery(experimentQuery(id));
  if (isPending) return <Loading label="Loading the experiment" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={id} of={data} />;
}

function Loaded({ of }: { of: Experiment }) {
  const { q = "", sort, tab = "runs", cols, group, view: shown } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const view: LearningView = shown === "deleted" ? "deleted" : "active";
  const { data: keys = none } = useQuery(keysQuery(of.id));
  const { data, error, isFetching, isPending, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = useInfiniteQuery({ ...runsQuery({ experiment: of.id, view, filter: q, order: orderOf(sort) }), placeholderData: (old) => old });
  const runs = useMemo(() => data?.pages.flatMap((page) => page.items) ?? [], [data]);
  const all = useMemo(() => allColumns(keys), [keys]);
  const columns = useMemo(() => readColumns(cols) ?? usualColumns(keys), [cols, keys]);
  const by = group ? readColumn(group) : undefined;
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const rows = useMemo((): readonly Row[] => (by ? groupRows(runs, by, open) : runs), [runs, by, open]);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const chosen = useMemo(() => runs.filter((run) => selected.has(run.id)), [runs, selected]);
  const more = useCallback(() => { if (hasNextPage && !isFetchingNextPage && !error) void fetchNextPage(); }, [hasNextPage, isFetchingNextPage, fetchNextPage, error]);
  useEffect(() => { if (by && runs.length < grouped) more(); }, [by, runs.length, more]);
  const go = useCallback((change: Record<string, string | undefined>): void => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, ...change }) }), [navigate]);
  const fold = useCallback((name: string) => setOpen((old) => { const next = new Set(old); if (!next.delete(name)) next.add(name); return next; }), []);
  const [active, setActive] = useRowKeys(rows.map((row) => ("group" in row ? `group ${row.group}` : row.id)), (id) => { if (id.startsWith("group ")) fold(id.slice(6)); else void navigate({ to: "/runs/$id", params: { id }, search: {} }); });
  const some = chosen.length > 0 ? chosen : runs;
  const flat = (): object[] => some.map((run) => ({ run: run.id, name: run.name, status: run.status, started: run.startedAt, ended: run.endedAt, ...Object.fromEntries(columns.map((c) => [`${c.kind}.${c.key}`, valueOf(run, c)])) }));
  const fields = useMemo(() => fieldsOf(keys), [keys]);
  const numeric = all.filter((c) => c.kind !== "tags");
  return (
    <>
      <PageHead title={of.name} actions={<><Button size="compact-xs" variant="default" onClick={() => go({ view: view === "deleted" ? undefined : "deleted" })}>{view === "deleted" ? "Runs that are not deleted" : "Deleted runs"}</Button><Csv name={`runs-${of.id}`} rows={() => Promise.resolve(flat())} what={chosen.length > 0 ? "the chosen runs" : "the runs loaded"} /></>}>
        <Link to="/experiments" search={{}} className={`link ${classes.crumb}`}>Experiments</Link> · id {of.id} · {formatCount(of.runs)} runs{of.running > 0 && `, ${formatCount(of.running)} running`}{(of.files > 0 || of.maxBytes > 0) && ` · ${formatBytes(of.bytes)}${of.maxBytes > 0 ? ` of ${formatBytes(of.maxBytes)}` : ""} of files`}{of.tags["mlflow.note.content"] && ` · ${of.tags["mlflow.note.content"]}`}
      </PageHead>
      <div className={classes.bar}>
        <ExperimentViews id={of.id} on="runs" />
        <RunFilter key={q} text={q} what="runs" example="metrics.accuracy > 0.9 AND params.optimizer = 'adam'" values={runValues} fields={fields} busy={isFetching && q !== ""} onAsk={(text) => go({ q: text || undefined })} />
        <Select size="xs" w={180} aria-label="Group by" placeholder="Group by" clearable searchable value={group ?? null} onChange={(v) => go({ group: v ?? undefined })} data={all.filter((c) => c.kind !== "metrics").map((c) => ({ value: c.id, label: `${c.kind}.${c.key}` }))} limit={100} />
        {chosen.length > 0 && <Button size="xs" variant="subtle" onClick={() => setSelected(new Set())}>Choose none of {formatCount(chosen.length)}</Button>}
        <ColumnPicker all={all} chosen={columns} onChange={(next) => go({ cols: next && writeColumns(next) })} />
      </div>
      {error && !isFetching && <Failure error={error} retry={() => void refetch()} />}
      {isPending && <Loading label="Loading runs" />}
      {data && !error && (
        <Tabs value={tab} onChange={(v) => go({ tab: v === "runs" || v === null ? undefined : v })} keepMounted={false} className={classes.tabs}>
          <Tabs.List>
            <Tabs.Tab value="runs">Runs ({formatCount(runs.length)}{hasNextPage && "+"})</Tabs.Tab>
            <Tabs.Tab value="charts">Charts</Tabs.Tab>
            <Tabs.Tab value="scatter">Scatter</Tabs.Tab>
            <Tabs.Tab value="parallel">Parallel coordinates</Tabs.Tab>
            <Tabs.Tab value="diff">Diff{chosen.length > 1 && ` (${chosen.length})`}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="runs" className={classes.fill}>
            {rows.length > 0 ? <RunTable rows={rows} columns={columns} sort={sort} onSort={(next) => go({ sort: next || undefined })} selected={selected} onSelect={setSelected} active={active} onActive={setActive} onFold={fold} onEnd={more} />
              : <Empty title={q ? "No run is so" : view === "deleted" ? "No run is deleted" : "No run yet"}>{q ? "Change the filter above." : "A run shows here as soon as a client makes it."}</Empty>}
          </Tabs.Panel>
          <Tabs.Panel value="charts" className={classes.panel}>{chosen.length === 0 && runs.length > drawn && <p className="dim">The first {drawn} runs of the table. Choose others there.</p>}<MetricCharts runs={some.slice(0, drawn)} /></Tabs.Panel>
          <Tabs.Panel value="scatter" className={classes.panel}><Scatter runs={some} columns={numeric} /></Tabs.Panel>
          <Tabs.Panel value="parallel" className={classes.panel}><Parallel runs={some} columns={numeric} onChoose={setSelected} /></Tabs.Panel>
          <Tabs.Panel value="diff" className={classes.panel}><Diff runs={chosen} /></Tabs.Panel>
        </Tabs>
      )}
    </>
  );
}
