import { Button, Tabs } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo, useState } from "react";
import { mayLearn, meQuery } from "../api/session";
import { Copy } from "../kit/Copy";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Span, Time } from "../kit/Time";
import classes from "./experiment.module.css";
import { FilesTab } from "./FilesTab";
import { sayValue } from "./groups";
import { MetricCharts } from "./MetricCharts";
import { experimentQuery, runQuery, type Run } from "./query";
import { RunMark } from "./RunMark";

const RegisterDialog = lazy(() => import("../model/RegisterDialog").then((m) => ({ default: m.RegisterDialog })));

export function RunPage() {
  const { id } = useParams({ from: "/runs/$id" });
  const { data, error, isPending, refetch } = useQuery(runQuery(id));
  if (isPending) return <Loading label="Loading the run" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={id} run={data} />;
}

function Loaded({ run }: { run: Run }) {
  const { tab = "overview" } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const { data: experiment } = useQuery(experimentQuery(run.experiment));
  const { data: me } = useQuery(meQuery);
  const [registering, setRegistering] = useState(false);
  const runs = useMemo(() => [run], [run]);
  return (
    <>
      <PageHead title={run.name || run.id} actions={mayLearn(me) && !run.deleted && <Button variant="default" size="compact-xs" onClick={() => setRegistering(true)}>Register a model…</Button>}>
        <Link to="/experiments/$id" params={{ id: run.experiment }} search={{}} className={`link ${classes.crumb}`}>{experiment?.name ?? `Experiment ${run.experiment}`}</Link>
        {run.user && ` · ${run.user}`}{run.startedAt && <> · began <Time at={run.startedAt} />, took <Span from={run.startedAt} to={run.endedAt} /></>}{run.deleted && " · deleted"}
      </PageHead>
      <div className={classes.bar}><RunMark status={run.status} /><span className="mono dim">{run.id}</span><Copy value={run.id} what="the id of the run" /><Link to="/experiments/$id/traces" params={{ id: run.experiment }} search={{ q: `attributes.run_id = '${run.id}'` }} className={`link ${classes.crumb}`}>Its traces</Link></div>
      <Tabs value={tab} onChange={(v) => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, tab: v === "overview" || v === null ? undefined : v }) })} keepMounted={false} className={classes.tabs}>
        <Tabs.List>
          <Tabs.Tab value="overview">Overview</Tabs.Tab>
          <Tabs.Tab value="charts">Charts ({formatCount(Object.keys(run.metrics).length)})</Tabs.Tab>
          <Tabs.Tab value="files">Files</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="overview" className={classes.panel}><Overview run={run} /></Tabs.Panel>
        <Tabs.Panel value="charts" className={classes.panel}><MetricCharts runs={runs} /></Tabs.Panel>
        <Tabs.Panel value="files" className={classes.panel}><FilesTab run={run} /></Tabs.Panel>
      </Tabs>
      {registering && <Suspense><RegisterDialog run={run} onClose={() => setRegistering(false)} /></Suspense>}
    </>
  );
}

function Overview({ run }: { run: Run }) {
  const facts = [
    { title: "Metrics", rows: Object.entries(run.metrics).map(([k, v]) => [k, sayValue(v)] as const) },
    { title: "Params", rows: Object.entries(run.params) },
    { title: "Tags", rows: Object.entries(run.tags).filter(([k]) => k !== "mlflow.note.content" && k !== "mlflow.log-model.history") },
    { title: "Data sets", rows: run.datasets.map((d) => [d.name, [d.context, d.digest].filter(Boolean).join(" · ")] as const) },
    { title: "Models made", rows: run.modelsMade.map((m) => ["logged model", m] as const) },
  ].filter((part) => part.rows.length > 0);
  const note = run.tags["mlflow.note.content"];
  if (facts.length === 0 && !note) return <Empty title="Nothing logged yet">Metrics, params and tags stand here as they come.</Empty>;
  return (
    <>
      {note && <p className={classes.prose}>{note}</p>}
      <div className={classes.columns}>
        {facts.map((part) => (
          <section key={part.title}>
            <h2>{part.title} <span className="dim">{formatCount(part.rows.length)}</span></h2>
            <div className={classes.across}>
              <table className={classes.facts}><tbody>{part.rows.map(([key, value], i) => <tr key={`${key} ${i}`}><th scope="row" title={key}>{key}</th><td className="mono" title={value}>{value}</td></tr>)}</tbody></table>
            </div>
          </section>
        ))}
      </div>
    </>
  );
}
