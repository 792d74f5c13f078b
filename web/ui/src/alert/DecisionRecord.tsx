import { useQuery } from "@tanstack/react-query";
import { decisionQuery } from "../api/queries";
import { Failure, Loading } from "../kit/States";
import { useZone } from "../kit/settings";
import { formatClock, formatExact } from "../kit/time";
import classes from "./alert.module.css";

/** Why one was, or was not, told about an alert: one line per stage it went through. */
export function DecisionRecord({ alert }: { alert: string }) {
  const { data, error, isPending, refetch } = useQuery(decisionQuery(alert));
  const zone = useZone();
  if (isPending) return <Loading rows={6} label="Loading the decision record" />;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <div data-testid="decision">
      <p className={classes.summary}>{data.summary}</p>
      <table className={classes.lines}>
        <thead><tr><th scope="col">At</th><th scope="col">Stage</th><th scope="col">Outcome</th><th scope="col">Because</th></tr></thead>
        <tbody>
          {data.lines.map((line, i) => (
            <tr key={i}>
              <td className="dim" title={formatExact(Date.parse(line.at), zone)}>{formatClock(Date.parse(line.at), zone, true)}</td>
              <th scope="row">{line.stage}</th>
              <td>{line.outcome}</td>
              <td className="dim">{line.reason}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
