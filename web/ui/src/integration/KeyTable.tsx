import type { IntegrationDetail } from "../api/types";
import { Time } from "../kit/Time";
import classes from "./integration.module.css";

/** The keys that are good, without their secrets. */
export function KeyTable({ integration }: { integration: IntegrationDetail }) {
  const { keys, pinned } = integration;
  return (
    <section className={classes.column}>
      <h2 className={classes.heading}>Keys</h2>
      {keys.length === 0 && <p className="dim">None. Senders on this machine are let in without one, others not at all.</p>}
      {keys.length > 0 && (
        <table className={classes.plain}>
          <thead><tr><th scope="col">Ends in</th><th scope="col">Made</th><th scope="col">Good until</th></tr></thead>
          <tbody>
            {keys.map((key) => (
              <tr key={`${key.hint} ${key.createdAt}`}>
                <td className="mono">…{key.hint}</td><td><Time at={key.createdAt} /></td><td>{key.expiresAt ? <Time at={key.expiresAt} /> : "it is replaced"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pinned && <p className="dim">Takes only what comes from <span className="mono">{pinned}</span>, learned from its first request.</p>}
    </section>
  );
}
