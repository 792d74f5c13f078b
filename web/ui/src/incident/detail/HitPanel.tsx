import { Link } from "@tanstack/react-router";
import type { Alert, IncidentDetail } from "../../api/types";
import { formatCount, plural } from "../../kit/numbers";
import { useNow } from "../../kit/Time";
import classes from "./detail.module.css";

const most = 8;
const window = 5 * 60_000;

/** How the number of firing alerts changed in the last five minutes, in words. */
export function growth(alerts: readonly Pick<Alert, "startsAt" | "endsAt">[], began: string, now: number): string {
  if (now - Date.parse(began) < window) return "all within the last 5 min";
  const more = alerts.filter((a) => now - Date.parse(a.startsAt) <= window).length;
  const fewer = alerts.filter((a) => a.endsAt && Date.parse(a.endsAt) <= now && now - Date.parse(a.endsAt) <= window).length;
  const net = more - fewer;
  if (more === 0 && fewer === 0) return "steady in the last 5 min";
  return net > 0 ? `growing: ${net} more than 5 min ago` : net < 0 ? `shrinking: ${-net} fewer than 5 min ago` : "as many as 5 min ago";
}

/** What is hit, worst first, and whether it grows. */
export function HitPanel({ incident, alerts }: { incident: IncidentDetail; alerts: readonly Alert[] }) {
  const now = useNow();
  const top = Math.max(1, ...incident.entities.map((e) => e.alerts));
  const shown = incident.entities.length === most + 1 ? most + 1 : most;
  const rest = incident.entities.length - shown;
  return (
    <section className={classes.hit} aria-labelledby="hit">
      <h2 id="hit">Hit</h2>
      <p className={classes.number}>
        {formatCount(incident.firingCount)} <span>firing{incident.state === "resolved" ? "" : `, ${growth(alerts, incident.startedAt, now)}`}</span>
      </p>
      <table className={classes.entities}>
        <thead className="hidden-text"><tr><th scope="col">Entity</th><th scope="col">Share</th><th scope="col">Alerts</th></tr></thead>
        <tbody>
          {incident.entities.slice(0, shown).map((e) => (
            <tr key={`${e.kind}/${e.name}`}>
              <th scope="row"><Link to="." search={(old) => ({ ...old, tab: "alerts", q: e.kind === "service" ? `service:${e.name}` : e.name })} replace className={classes.entity} title={`${e.kind} ${e.name}`}>{e.name}</Link></th>
              <td aria-hidden><span className={classes.share} style={{ width: `${(e.alerts / top) * 100}%` }} /></td>
              <td title={plural(e.alerts, "alert")}>{formatCount(e.alerts)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rest > 0 && <p className="dim">and {formatCount(rest)} more</p>}
      {incident.entities.length === 0 && <p className="dim">No alert names what is hit.</p>}
    </section>
  );
}
