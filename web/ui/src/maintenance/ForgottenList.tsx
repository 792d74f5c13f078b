import { useQuery } from "@tanstack/react-query";
import { forgottenQuery } from "../api/queries";
import { formatCount } from "../kit/numbers";
import { Failure } from "../kit/States";
import { Time } from "../kit/Time";
import classes from "./maintenance.module.css";

/** Silences that hide something for long, or nothing at all: somebody should look at them. */
export function ForgottenList() {
  const { data, error, refetch } = useQuery(forgottenQuery);
  return (
    <section>
      <h2 className={classes.heading}>Forgotten silences</h2>
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && <p className="dim" style={{ margin: 0 }}>None. A silence is listed here when it hides firing alerts for more than a week, or nothing for more than a day.</p>}
      {data && data.items.length > 0 && (
        <div className={classes.wide}>
          <table className={classes.calendar} style={{ minWidth: 640 }}>
            <thead><tr><th scope="col" style={{ width: "26%" }}>Matches</th><th scope="col">Why it is listed</th><th scope="col" style={{ width: 72 }}>Hides</th><th scope="col" style={{ width: 150 }}>By</th><th scope="col" style={{ width: 110 }}>Since</th><th scope="col" style={{ width: 110 }}>Ends</th></tr></thead>
            <tbody>
              {data.items.map((silence) => (
                <tr key={silence.id}>
                  <th scope="row" className={`mono ${classes.covers}`}>{silence.matchers}</th>
                  <td>{silence.reason}{silence.comment && <span className="dim"> “{silence.comment}”</span>}</td>
                  <td>{formatCount(silence.muted)}</td>
                  <td className={classes.covers}>{silence.createdBy}</td>
                  <td><Time at={silence.startsAt} /></td>
                  <td><Time at={silence.endsAt} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
