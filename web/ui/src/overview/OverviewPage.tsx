import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { sayRatio, sayShare, sayTime } from "../analytics/figures";
import { analyticsQuery } from "../analytics/query";
import { statsQuery } from "../api/queries";
import { severities, type Incident } from "../api/types";
import { Overview as Noise } from "../incident/list/Overview";
import { SeverityMark, StateMark } from "../kit/Marks";
import { formatCount, plural } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { useZone } from "../kit/settings";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { hostAndPort, prometheusLines } from "../kit/useAddress";
import { Counts } from "./Counts";
import classes from "./overview.module.css";
import { currentQuery } from "./query";
import { Waiting } from "./Waiting";

const shown = 8;
const days = 7;

/** The worst that is not over, and open before acknowledged. */
function worst(list: readonly Incident[]): Incident[] {
  const rank = (i: Incident): number => severities.indexOf(i.severity) * 2 + (i.state === "open" ? 0 : 1);
  return [...list].sort((a, b) => rank(a) - rank(b) || Date.parse(b.startedAt) - Date.parse(a.startedAt)).slice(0, shown);
}

function Week() {
  const zone = useZone();
  const { data } = useQuery(analyticsQuery(days, { period: "day", zone: zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone }));
  if (!data) return null;
  const { total: t } = data;
  const figures = [
    { word: "noise share", value: sayShare(t.noiseShare), more: `${formatCount(t.untold)} of ${formatCount(t.received)} alerts told to nobody` },
    { word: "alerts per incident", value: sayRatio(t.alertsPerIncident), more: plural(t.incidents, "incident") },
    { word: "MTTA", value: sayTime(t.timeToAcknowledge.mean), more: `${formatCount(t.timeToAcknowledge.n)} acknowledged` },
    { word: "MTTR", value: sayTime(t.timeToResolve.mean), more: `${formatCount(t.timeToResolve.n)} resolved` },
    { word: "pages per night", value: sayRatio(t.pagesPerNight), more: `${formatCount(t.nightPages)} of ${formatCount(t.pages)} pages at night` },
  ];
  return (
    <section className={classes.section}>
      <h2>Last {days} days <Link to="/analytics" search={{ from: String(days) }} className={`link ${classes.more}`}>more, and what they mean</Link></h2>
      <dl className={classes.figures}>{figures.map((f) => <div key={f.word}><dt>{f.word}</dt><dd>{f.value}</dd><dd className="dim">{f.more}</dd></div>)}</dl>
    </section>
  );
}

/** What is going on, what waits for me, and how the week went. */
export function OverviewPage() {
  const { data, error, isPending, refetch } = useQuery(currentQuery);
  const { data: stats } = useQuery(statsQuery);
  const incidents = useMemo(() => data?.items ?? [], [data]);
  const nothing = data && incidents.length === 0;
  return (
    <div className={classes.page}>
      <PageHead title="Overview">What is going on, what waits for you, and how the week went.</PageHead>
      <Counts />
      {isPending && <Loading label="Loading the overview" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && incidents.length > 0 && <div className={classes.section}><Noise rows={incidents} stats={stats} complete={!data.next} /></div>}
      {data && (
        <div className={classes.columns}>
          <section className={classes.section}>
            <h2>Worst now {incidents.length > shown && <Link to="/" search={{}} className={`link ${classes.more}`}>all {formatCount(incidents.length)}{data.next ? "+" : ""}</Link>}</h2>
            {nothing && (stats?.alerts.received ?? 0) > 0 && <p className="dim">No incident is open.</p>}
            <ul className={classes.worst}>
              {worst(incidents).map((i) => (
                <li key={i.id}><SeverityMark severity={i.severity} short /><Link to="/incidents/$id" params={{ id: i.id }} search={{}} title={i.title}>{i.title}</Link><StateMark state={i.state} short /><span className="dim">{i.owner ?? "no owner"}</span><span className="dim"><Time at={i.startedAt} /></span></li>
              ))}
            </ul>
          </section>
          <Waiting incidents={incidents} />
        </div>
      )}
      {nothing && stats?.alerts.received === 0 && <Empty title="No alert has arrived yet" paste={{ caption: "Put this into prometheus.yml and reload Prometheus:", lines: prometheusLines(hostAndPort()) }}>What is going on shows here once a sender reaches this address.</Empty>}
      <Week />
    </div>
  );
}
