// What a person can do to incidents. Each action is sent, applied to what is shown, and offered for undo.
import { useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { useResponder } from "../api/session";
import { patchIncidents } from "../api/sync";
import { keys, send } from "../api/queries";
import type { ActionResult, Incident, State } from "../api/types";
import { plural } from "../kit/numbers";
import { failToast, sayToast, undoToast } from "../kit/toast";
import { recall, remember, type Doing } from "../kit/undo";

/** Which actions a state allows. */
export const allows = {
  acknowledge: (state: State): boolean => state === "open" || state === "forming",
  resolve: (state: State): boolean => state !== "resolved",
  reopen: (state: State): boolean => state === "resolved" || state === "suppressed",
  merge: (state: State): boolean => state !== "resolved",
};

const readsOnly = "Your role only reads. Whoever is responder may do this; an admin gives roles.";

const subject = (ids: readonly string[]): string => (ids.length === 1 ? (ids[0] ?? "") : plural(ids.length, "incident"));

export interface Actions {
  /** Whether one has a role that acts on incidents at all. */
  may: boolean;
  acknowledge: (ids: readonly string[]) => Promise<void>;
  resolve: (ids: readonly string[]) => Promise<void>;
  reopen: (ids: readonly string[]) => Promise<void>;
  /** Gives incidents to somebody; "" gives them back. */
  own: (ids: readonly string[], owner: string, self: string) => Promise<void>;
  /** Merges the others into one; the others end as merged. */
  merge: (into: string, from: readonly string[]) => Promise<boolean>;
  /** Answers with the id of the new incident, or nothing when it failed. */
  split: (id: string, alerts: readonly string[]) => Promise<string | undefined>;
  assign: (into: string, alerts: readonly string[]) => Promise<boolean>;
  note: (id: string, text: string) => Promise<boolean>;
  undoStep: (step: string, text: string) => Promise<void>;
  undoLast: () => void;
}

export function useActions(): Actions {
  const queries = useQueryClient();
  const may = useResponder();
  return useMemo(() => {
    const apply = (results: readonly ActionResult[]): void => {
      const changed = new Map<string, Incident>();
      for (const { incident, other } of results) {
        changed.set(incident.id, incident);
        if (other) changed.set(other.id, other);
      }
      patchIncidents(queries, changed);
      for (const id of changed.keys()) {
        void queries.invalidateQueries({ queryKey: keys.incident(id) });
        void queries.invalidateQueries({ queryKey: keys.incidentAlerts(id) });
      }
      void queries.invalidateQueries({ queryKey: keys.incidents });
      void queries.invalidateQueries({ queryKey: keys.alerts });
      void queries.invalidateQueries({ queryKey: keys.stats });
    };
    const undo = async (doing: Doing | undefined): Promise<void> => {
      const taken = doing && recall(doing);
      if (!taken) return;
      try {
        const results: ActionResult[] = [];
        for (const step of [...taken.steps].reverse()) results.push(await send.undo(step));
        if (results.length > 0) apply(results);
        await taken.back?.();
        sayToast(`Undone: ${taken.text}`);
      } catch (error) {
        failToast(`Not undone: ${taken.text}`, error);
      }
    };
    const run = async (text: string, failed: string, calls: readonly (() => Promise<ActionResult>)[]): Promise<ActionResult[]> => {
      if (!may) {
        sayToast(readsOnly);
        return [];
      }
      const results: ActionResult[] = [];
      let failure: unknown;
      for (const call of calls) {
        try {
          results.push(await call());
        } catch (error) {
          failure ??= error;
        }
      }
      if (results.length > 0) {
        apply(results);
        const doing = { text, steps: results.filter((r) => r.step.undo.possible).map((r) => r.step.id) };
        if (doing.steps.length > 0) {
          remember(doing);
          undoToast(text, () => void undo(doing));
        } else sayToast(text);
      }
      if (failure !== undefined) failToast(calls.length > 1 ? `${failed} (${plural(calls.length - results.length, "incident")})` : failed, failure);
      return results;
    };
    const each = (verb: "acknowledge" | "resolve" | "reopen", past: string) => async (ids: readonly string[]): Promise<void> => {
      if (ids.length > 0) await run(`${past} ${subject(ids)}`, `Could not ${verb} ${subject(ids)}`, ids.map((id) => () => send[verb](id)));
    };
    return {
      may,
      acknowledge: each("acknowledge", "Acknowledged"),
      resolve: each("resolve", "Resolved"),
      reopen: each("reopen", "Reopened"),
      own: async (ids, owner, self) => {
        const done = owner === "" ? `Gave ${subject(ids)} back` : owner === self ? `Took ${subject(ids)}` : `Gave ${subject(ids)} to ${owner}`;
        if (ids.length > 0) await run(done, `Could not give ${subject(ids)} ${owner ? `to ${owner}` : "back"}`, ids.map((id) => () => send.own(id, owner)));
      },
      merge: async (into, from) => (await run(`Merged ${from.join(", ")} into ${into}`, `Could not merge into ${into}`, from.map((id) => () => send.merge(into, [id])))).length > 0,
      split: async (id, alerts) => {
        const [result] = await run(`Split ${plural(alerts.length, "alert")} off ${id}`, `Could not split ${id}`, [() => send.split(id, [...alerts])]);
        return [result?.incident.id, result?.other?.id].find((made) => made !== id);
      },
      assign: async (into, alerts) => (await run(`Moved ${plural(alerts.length, "alert")} to ${into}`, `Could not move to ${into}`, [() => send.assign(into, [...alerts])])).length > 0,
      note: async (id, text) => (await run(`Note added to ${id}`, "Could not add the note", [() => send.note(id, text)])).length > 0,
      undoStep: async (step, text) => {
        const doing = { text, steps: [step] };
        remember(doing);
        await undo(doing);
      },
      undoLast: () => {
        const doing = recall();
        if (!doing) {
          sayToast("Nothing to undo here. Older steps can be undone in an incident's timeline.");
          return;
        }
        remember(doing);
        void undo(doing);
      },
    };
  }, [queries, may]);
}
