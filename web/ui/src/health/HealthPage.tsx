import { Progress } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { meQuery } from "../api/session";
import { statsQuery } from "../api/queries";
import { formatBytes } from "../kit/bytes";
import { Copy } from "../kit/Copy";
import { formatCount, plural } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { formatDuration } from "../kit/time";
import classes from "./health.module.css";
import { healthQuery, type Health } from "./query";
import { TrendChart } from "./TrendChart";

const checks: Record<string, string> = { bus: "Stream of alerts", database: "Database", incidents: "Incidents" };
const queues: Record<Health["queues"][number]["name"], [string, string]> = {
  alerts: ["Alerts", "accepted, and not yet applied to incidents"],
  deliveries: ["Deliveries", "decided, and not yet sent, or to be tried again"],
  writes: ["Changes", "waiting for the database’s next commit"],
};

function Checks({ of }: { of: Health }) {
  return (
    <section className={classes.section}>
      <h2>Checks</h2>
      <ul className={classes.checks}>
        {of.checks.map((c) => (
          <li key={c.name} data-bad={c.problem !== "" || undefined}>{c.problem ? <IconAlertTriangle size={16} aria-hidden /> : <IconCircleCheck size={16} aria-hidden />}<b>{checks[c.name] ?? c.name}</b> {c.problem || "ready"}</li>
        ))}
      </ul>
    </section>
  );
}

function Queues({ of, letters }: { of: Health; letters: number | undefined }) {
  const { data: me } = useQuery(meQuery);
  return (
    <section className={classes.section}>
      <h2>Queues</h2>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Queues"> {/* eslint-disable-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls */}
        <table>
          <thead><tr><th scope="col">Queue</th><th scope="col" className={classes.right}>Waiting</th><th scope="col" className={classes.right}>Oldest waits</th><th scope="col" className={classes.right}>Holds</th></tr></thead>
          <tbody>
            {of.queues.map((q) => <tr key={q.name}><td><b>{queues[q.name][0]}</b> <span className="dim">{queues[q.name][1]}</span></td><td className={classes.right}>{formatCount(q.waiting)}</td><td className={classes.right}>{q.lagSeconds === null ? <span className="dim">not measured</span> : q.waiting === 0 ? <span className="dim">nothing</span> : formatDuration(q.lagSeconds * 1000)}</td><td className={classes.right}>{q.capacity ? `${formatBytes(q.bytes ?? 0)} of ${formatBytes(q.capacity)}` : ""}</td></tr>)}
            {letters !== undefined && <tr><td><b>Dead letters</b> <span className="dim">refused, and kept to be looked at</span></td><td className={classes.right}>{me?.admin ? <Link to="/dead-letters" search={{}} className="link">{formatCount(letters)}</Link> : formatCount(letters)}</td><td /><td /></tr>}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const kinds: Record<Health["telemetry"][number]["kind"], string> = { samples: "samples", log_records: "log records", spans: "spans" };

function Telemetry({ of }: { of: Health }) {
  if (of.telemetry.length === 0) return null;
  return (
    <section className={classes.section}>
      <h2>Telemetry</h2>
      <div className={classes.scroll} tabIndex={0} role="region" aria-label="Telemetry"> {/* eslint-disable-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls */}
        <table>
          <thead><tr><th scope="col">Came by</th><th scope="col" className={classes.right}>Accepted</th><th scope="col" className={classes.right}>Refused</th><th scope="col">For</th><th scope="col">Last refused</th></tr></thead>
          <tbody>
            {of.telemetry.map((t) => <tr key={t.protocol + t.kind}><td><b>{t.protocol}</b> <span className="dim">{kinds[t.kind]}</span></td><td className={classes.right}>{formatCount(t.accepted)}</td><td className={classes.right}>{formatCount(t.refused)}</td><td>{Object.entries(t.reasons).map(([reason, n]) => `${reason.replaceAll("_", " ")} ${formatCount(n)}`).join(", ")}</td><td>{t.lastAt && <><Time at={t.lastAt} /> <span className="dim">{t.sender}: {t.last}</span></>}</td></tr>)}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Disk({ of }: { of: Health }) {
  const { disk } = of;
  const share = disk.total > 0 ? ((disk.total - disk.free) / disk.total) * 100 : 0;
  return (
    <section className={classes.section}>
      <h2>Disk</h2>
      {disk.total > 0 && <><p>{formatBytes(disk.free)} free of {formatBytes(disk.total)}; the data folder holds {formatBytes(disk.used)}.{share > 90 && <b className={classes.bad}> Less than a tenth is free: when it is full, senders are told to come back later.</b>}</p><Progress value={share} size={6} color="gray" aria-label={`${Math.round(share)} % of the disk is used`} /></>}
      <table className={classes.parts}><caption className="hidden-text">What the data folder holds</caption><tbody>{disk.parts.slice(0, 8).map((p) => <tr key={p.name}><td className="mono">{p.name}</td><td className={classes.right}>{formatBytes(p.bytes)}</td></tr>)}</tbody></table>
    </section>
  );
}

/** How the server itself is: checks, queues, lags, disk. */
export function HealthPage() {
  const { data, error, isPending, refetch } = useQuery(healthQuery);
  const { data: stats } = useQuery(statsQuery);
  return (
    <div className={classes.page}>
      <PageHead title="Health" actions={data && <Copy value={JSON.stringify(data, null, 2)} label="Copy as JSON" />}>How Fairlead itself is. The same figures are at /metrics for Prometheus, and /-/ready says whether all checks pass.</PageHead>
      {isPending && <Loading label="Loading the server’s health" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && (
        <>
          <p className={classes.verdict} role="status" data-bad={!data.ready || undefined}>{data.ready ? <><IconCircleCheck size={18} aria-hidden /> Ready</> : <><IconAlertTriangle size={18} aria-hidden /> Not ready</>}<span className="dim facts"><span>version {data.version}</span><span>started <Time at={data.startedAt} /></span><span>rows in {data.store.engine === "sqlite" ? "SQLite" : "PostgreSQL"}</span><span>{plural(data.store.writes, "change")} in {plural(data.store.commits, "commit")}</span>{data.store.failures > 0 && <b className={classes.bad}>{plural(data.store.failures, "change")} could not be stored</b>}</span></p>
          {error && <p role="alert" className={classes.section}>The figures may be old: {error.message}</p>}
          <div className={classes.trends}>{data.trends.map((t) => <TrendChart key={t.name} trend={t} />)}</div>
          <div className={classes.columns}>
            <Checks of={data} />
            <Disk of={data} />
          </div>
          <Queues of={data} letters={stats?.deadLetters} />
          <Telemetry of={data} />
          <p className={`dim facts ${classes.section}`}><span>{plural(data.process.goroutines, "goroutine")}</span>{data.process.maxFiles > 0 && <span>{formatCount(data.process.openFiles)} of {formatCount(data.process.maxFiles)} files open</span>}<span>{formatDuration(data.process.cpuSeconds * 1000)} of processor time</span></p>
        </>
      )}
    </div>
  );
}
