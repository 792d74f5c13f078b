import type { Preview } from "../api/types";
import { severities, type Severity } from "../api/types";
import { FiringMark, SeverityMark, StateMark } from "../kit/Marks";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./integration.module.css";
import type { Complaint } from "./mapper";

interface Props {
  preview: Preview | undefined;
  complaint: Complaint | undefined;
  error: Error | null;
  empty: boolean;
}

const most = 50;

function Pairs({ of, without }: { of: Record<string, string>; without: readonly string[] }) {
  const entries = Object.entries(of).filter(([name]) => !without.includes(name)).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return <span className="dim">none</span>;
  return <>{entries.map(([name, value]) => <div key={name} className="mono">{name}={value}</div>)}</>;
}

/** The alerts that the mapper makes of the payload, or what is wrong. */
export function PreviewTable({ preview, complaint, error, empty }: Props) {
  const alerts = preview?.alerts ?? [];
  return (
    <>
      <h3 className={classes.heading} style={{ marginTop: 0 }}>Preview{!empty && !complaint && preview && `: ${plural(alerts.length, "alert")}`}</h3>
      <div aria-live="polite">
        {empty && <p className="dim">Choose or paste a payload below to see what becomes of it.</p>}
        {error && <p role="alert">{error.message}</p>}
        {!empty && complaint && <p style={{ color: "var(--mantine-color-error)" }}>No alert. {complaint.place && <span className="mono">{complaint.place}: </span>}{complaint.text}</p>}
      </div>
      {!empty && !complaint && alerts.length > 0 && (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the table scrolls, and the keyboard must reach that
        <div className={classes.alerts} tabIndex={0} role="region" aria-label="Alerts of the preview">
          <table className={classes.plain}>
            <thead><tr><th scope="col">Name</th><th scope="col">State</th><th scope="col">Severity</th><th scope="col">Identity</th><th scope="col">Labels</th><th scope="col">Annotations</th><th scope="col">Starts</th></tr></thead>
            <tbody>
              {alerts.slice(0, most).map((alert, i) => (
                <tr key={`${alert.identity} ${i}`}>
                  <th scope="row" className={classes.name}>{/^https?:/.test(alert.link) ? <a className="link" href={alert.link} target="_blank" rel="noreferrer noopener">{alert.name}</a> : alert.name}</th>
                  <td>{alert.state === "acknowledged" ? <StateMark state="acknowledged" /> : <FiringMark state={alert.state} />}</td>
                  <td><SeverityMark severity={severities.find((s: Severity) => s === alert.severity) ?? "none"} /></td>
                  <td className={`mono ${classes.roomy}`}>{alert.identity}</td>
                  <td className={classes.roomy}><Pairs of={alert.labels} without={["alertname", "severity"]} /></td>
                  <td className={Object.keys(alert.annotations).length > 0 ? classes.roomy : undefined}><Pairs of={alert.annotations} without={[]} /></td>
                  <td><Time at={alert.startsAt} /></td>
                </tr>
              ))}
            </tbody>
          </table>
          {alerts.length > most && <p className="dim">And {plural(alerts.length - most, "more", "more")}.</p>}
        </div>
      )}
    </>
  );
}
