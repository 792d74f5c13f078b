// The timeline's rows: long runs of alerts that joined by themselves are one row.
import type { Step } from "../../api/types";

export type Row = { kind: "step"; step: Step } | { kind: "run"; id: string; steps: Step[]; alerts: number };

const shortest = 4;

/** Both lists, oldest first, as one; of a step that is in both the second list knows more. */
export function joinSteps(earlier: readonly Step[], later: readonly Step[]): Step[] {
  const newer = new Set(later.map((s) => s.id));
  return [...earlier.filter((s) => !newer.has(s.id)), ...later];
}

/** Newest first. Runs of at least four automatic joins become one row that can be opened. */
export function timelineRows(steps: readonly Step[]): Row[] {
  const rows: Row[] = [];
  let run: Step[] = [];
  const close = (): void => {
    const newest = run.at(0);
    if (newest && run.length >= shortest) rows.push({ kind: "run", id: `run-${run.at(-1)?.id ?? newest.id}`, steps: run, alerts: run.reduce((n, s) => n + s.alertCount, 0) });
    else rows.push(...run.map((step) => ({ kind: "step" as const, step })));
    run = [];
  };
  for (const step of [...steps].reverse()) {
    if (step.kind === "assign" && step.actor === "engine" && !step.undoneAt) run.push(step);
    else {
      close();
      rows.push({ kind: "step", step });
    }
  }
  close();
  return rows;
}
