import { Button } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { failToast, sayToast } from "../kit/toast";
import classes from "./account.module.css";
import { endSession, sessionKey, sessionsQuery, type Session } from "./query";

/** "Chrome on Linux" of what a browser says of itself. */
export function sayAgent(agent: string): string {
  const browser = agent.includes('Edg/') ? "Edge" : agent.includes('Firefox/') ? "Firefox" : agent.includes('Chrome/') ? "Chrome" : agent.includes('Safari/') ? "Safari" : undefined;
  const system = agent.includes('Windows') ? "Windows" : /iPhone|iPad/.test(agent) ? "iOS" : agent.includes('Android') ? "Android" : agent.includes('Mac OS X') ? "macOS" : agent.includes('Linux') ? "Linux" : undefined;
  return browser ? `${browser}${system ? ` on ${system}` : ""}` : agent || "a program that does not say its name";
}

/** Where one is logged in. */
export function Sessions({ present }: { present: string }) {
  const queries = useQueryClient();
  const { data, error, isPending, refetch } = useQuery(sessionsQuery);
  const [busy, setBusy] = useState(false);
  const others = data?.items.filter((s) => s.id !== present) ?? [];
  const end = async (list: readonly Session[]): Promise<void> => {
    setBusy(true);
    try {
      for (const { id } of list) await endSession(id);
      sayToast(list.length === 1 ? "The session has ended." : "All other sessions have ended.");
    } catch (failure) {
      failToast("Could not end the session", failure);
    }
    setBusy(false);
    await queries.invalidateQueries({ queryKey: sessionKey });
  };
  return (
    <section aria-labelledby="sessions">
      <h2 id="sessions">Sessions</h2>
      {isPending && <Loading rows={3} label="Loading sessions" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && (
        <div className={classes.wide}>
          <table className={classes.table}>
            <thead><tr><th scope="col">Browser</th><th scope="col">From</th><th scope="col">Last used</th><th scope="col">Ends</th><th scope="col"><span className="hidden-text">Action</span></th></tr></thead>
            <tbody>
              {data.items.map((s) => (
                <tr key={s.id}>
                  <th scope="row" title={s.agent}>{sayAgent(s.agent)}{s.id === present && <b> this one</b>}</th><td className="mono">{s.address}</td><td><Time at={s.seenAt} /></td><td><Time at={s.expiresAt} /></td>
                  <td>{s.id !== present && <Button variant="default" size="compact-xs" disabled={busy} aria-label={`End the session ${sayAgent(s.agent)} from ${s.address}`} onClick={() => void end([s])}>End</Button>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {others.length > 1 && <Button variant="default" mt="sm" loading={busy} onClick={() => void end(others)}>End all others</Button>}
    </section>
  );
}
