import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { forgottenQuery, keys, plan } from "../api/queries";
import { useResponder } from "../api/session";
import type { ForgottenSilence } from "../api/types";
import { formatCount } from "../kit/numbers";
import { Failure } from "../kit/States";
import { Time } from "../kit/Time";
import { failToast, sayToast } from "../kit/toast";
import classes from "./maintenance.module.css";

/** Ends a silence now; what it hid is told of again. */
function End({ silence }: { silence: ForgottenSilence }) {
  const queries = useQueryClient();
  const { mutate, isPending } = useMutation({
    mutationFn: () => plan.expire(silence.id),
    onSuccess: () => { sayToast(`The silence ${silence.matchers} has ended.`); void queries.invalidateQueries({ queryKey: keys.forgotten }); },
    onError: (error) => failToast(`Could not end the silence ${silence.matchers}`, error),
  });
  return <Button variant="default" size="compact-xs" loading={isPending} aria-label={`End the silence ${silence.matchers}`} onClick={() => mutate()}>End</Button>;
}

/** Silences that hide something for long, or nothing at all: somebody should look at them. */
export function ForgottenList() {
  const may = useResponder();
  const { data, error, refetch } = useQuery(forgottenQuery);
  return (
    <section>
      <h2 className={classes.heading}>Forgotten silences</h2>
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && <p className="dim" style={{ margin: 0 }}>None. A silence is listed here when it hides firing alerts for more than a week, or nothing for more than a day.</p>}
      {data && data.items.length > 0 && (
        <div className={classes.wide}>
          <table className={classes.calendar} style={{ minWidth: 820 }}>
            <thead><tr><th scope="col" style={{ width: "26%" }}>Matches</th><th scope="col">Why it is listed</th><th scope="col" style={{ width: 72 }}>Hides</th><th scope="col" style={{ width: 150 }}>By</th><th scope="col" style={{ width: 110 }}>Since</th><th scope="col" style={{ width: 110 }}>Ends</th><th scope="col" style={{ width: 120 }}>Somebody told</th><th scope="col" style={{ width: 64 }}><span className="hidden-text">Action</span></th></tr></thead>
            <tbody>
              {data.items.map((silence) => (
                <tr key={silence.id}>
                  <th scope="row" className={`mono ${classes.covers}`}>{silence.matchers}</th>
                  <td>{silence.reason}{silence.comment && <span className="dim"> “{silence.comment}”</span>}</td>
                  <td>{formatCount(silence.muted)}</td>
                  <td className={classes.covers}>{silence.createdBy}</td>
                  <td><Time at={silence.startsAt} /></td>
                  <td><Time at={silence.endsAt} /></td>
                  <td>{silence.remindedAt ? <Time at={silence.remindedAt} /> : <span className="dim">not yet</span>}</td>
                  <td>{may && <End silence={silence} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
