import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { maintenanceQuery, statsQuery } from "../api/queries";
import { isWhole, meQuery } from "../api/session";
import { healthQuery } from "../health/query";
import { formatCount } from "../kit/numbers";
import classes from "./overview.module.css";
import { activeSilencesQuery, failedQuery, missingQuery } from "./query";
import type { PlaceAddress } from "../app/places";

interface Count {
  word: string;
  n: number | undefined;
  to: PlaceAddress;
  q?: string;
  /** More than none deserves a look. */
  bad?: boolean;
}

/** How many of everything there are now; each leads to them. */
export function Counts() {
  const { data: stats } = useQuery(statsQuery);
  const { data: calendar } = useQuery(maintenanceQuery);
  const { data: silences } = useQuery(activeSilencesQuery);
  const { data: me } = useQuery(meQuery);
  const { data: failed } = useQuery({ ...failedQuery, enabled: isWhole(me) });
  const { data: beats } = useQuery(missingQuery);
  const { data: health } = useQuery(healthQuery);
  const missing = beats?.items.filter((b) => b.state === "missing").length;
  const failing = health?.checks.filter((c) => c.problem).length;
  const counts: Count[] = [
    { word: "open", n: stats?.incidents.open, to: "/", q: "state:open" },
    { word: "acknowledged", n: stats?.incidents.acknowledged, to: "/", q: "state:acknowledged" },
    { word: "forming", n: stats?.incidents.forming, to: "/", q: "state:forming" },
    { word: stats?.alerts.firing === 1 ? "alert firing" : "alerts firing", n: stats?.alerts.firing, to: "/alerts", q: "state:firing" },
    { word: silences?.items.length === 1 ? "silence active" : "silences active", n: silences?.items.length, to: "/silences" },
    { word: "maintenance open", n: calendar?.items.filter((w) => w.open).length, to: "/maintenance" },
    { word: beats && missing === 1 ? "heartbeat missing" : "heartbeats missing", n: beats && missing, to: "/heartbeats", bad: true },
    { word: failed?.items.length === 1 ? "delivery failed" : "deliveries failed", n: failed?.items.length, to: "/deliveries", q: "state:failed", bad: true },
    { word: failing === 1 ? "check failing" : "checks failing", n: failing, to: "/health", bad: true },
  ];
  return (
    <ul className={classes.counts}>
      {counts.filter((c) => c.n !== undefined).map((c) => <li key={c.word}><Link to={c.to} search={c.q ? { q: c.q } : {}} data-bad={(c.bad === true && (c.n ?? 0) > 0) || undefined}><b>{formatCount(c.n ?? 0)}{c.n === 100 && c.word === "deliveries failed" ? "+" : ""}</b> {c.word}</Link></li>)}
    </ul>
  );
}
