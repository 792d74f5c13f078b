import { Button, UnstyledButton } from "@mantine/core";
import {
  IconArrowBackUp, IconArrowsJoin, IconArrowsSplit, IconBellOff, IconChevronRight, IconCircleCheck, IconCircleDashed, IconEye, IconHandOff, IconHandStop, IconNote,
  IconPlus, IconRefresh, IconUserCheck, type TablerIcon,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Step } from "../../api/types";
import { plural } from "../../kit/numbers";
import { Mentioned } from "../../kit/Mentioned";
import { Empty } from "../../kit/States";
import { Why } from "../../kit/Terms";
import { Time } from "../../kit/Time";
import type { Actions } from "../actions";
import type { Range } from "./axis";
import { timelineRows } from "./steps";
import type { Earlier } from "./useSteps";
import classes from "./detail.module.css";

const icons: Record<Step["kind"], TablerIcon> = {
  open: IconCircleDashed, assign: IconPlus, merge: IconArrowsJoin, split: IconArrowsSplit, show: IconEye, suppress: IconBellOff, close: IconCircleCheck,
  reopen: IconRefresh, acknowledge: IconHandStop, unacknowledge: IconHandOff, resolve: IconCircleCheck, own: IconUserCheck, note: IconNote, undo: IconArrowBackUp,
};

function StepRow({ step, actions }: { step: Step; actions: Actions }) {
  const [busy, setBusy] = useState(false);
  const Icon = icons[step.kind];
  const undo = (): void => { setBusy(true); void actions.undoStep(step.id, step.text).finally(() => setBusy(false)); };
  return (
    <li className={classes.step} data-undone={step.undoneAt ? true : undefined} data-kind={step.kind} data-step={step.id}>
      <Icon size={15} stroke={1.8} aria-hidden className={classes.stepIcon} />
      <div className={classes.stepText}>
        <span className={classes.stepWords}><Mentioned text={step.text} /></span>
        {step.other && <Link to="/incidents/$id" params={{ id: step.other }} search={{}} className="link"> {step.other}</Link>}
        {step.terms.length > 0 && <> <Why terms={step.terms}>{actions.may && step.undo.possible && <Button mt={8} size="compact-xs" variant="default" onClick={undo}>Undo this step</Button>}</Why></>}
        {step.undoneAt && <span className="dim"> undone <Time at={step.undoneAt} /> by {step.undoneBy}</span>}
      </div>
      <span className="dim">{step.actor === "engine" ? "by itself" : step.actor}</span>
      <span className={classes.stepTime}><Time at={step.at} /></span>
      <span className={classes.stepUndo}>
        {actions.may && step.undo.possible && <Button variant="subtle" color="gray" size="compact-xs" loading={busy} onClick={undo} aria-label={`Undo: ${step.text}`}>Undo</Button>}
      </span>
    </li>
  );
}

function RunRow({ steps, alerts, actions }: { steps: readonly Step[]; alerts: number; actions: Actions }) {
  const [open, setOpen] = useState(false);
  const [all, setAll] = useState(false);
  const newest = steps[0];
  const shown = all ? steps : steps.slice(0, 50);
  return (
    <>
      <li className={classes.step}>
        <UnstyledButton className={classes.stepIcon} aria-expanded={open} aria-label={open ? "Hide the single steps" : "Show the single steps"} onClick={() => setOpen(!open)}><IconChevronRight size={15} style={{ transform: open ? "rotate(90deg)" : undefined }} /></UnstyledButton>
        <div className={classes.stepText}>{plural(alerts, "alert")} joined in {plural(steps.length, "step")}</div>
        <span className="dim">by itself</span>
        <span className={classes.stepTime}>{newest && <Time at={newest.at} />}</span>
        <span className={classes.stepUndo} />
      </li>
      {open && shown.map((step) => <StepRow key={step.id} step={step} actions={actions} />)}
      {open && shown.length < steps.length && <li><Button variant="subtle" size="compact-xs" onClick={() => setAll(true)}>Show {steps.length - shown.length} more</Button></li>}
    </>
  );
}

/** What happened to the incident, newest first: by itself or by whom, why, and how to undo it. */
export function Timeline({ steps, earlier, range, actions }: { steps: readonly Step[]; earlier: Earlier; range: Range | undefined; actions: Actions }) {
  const inside = useMemo(() => (range ? steps.filter((s) => Date.parse(s.at) >= range.from && Date.parse(s.at) <= range.to) : steps), [steps, range]);
  const rows = useMemo(() => timelineRows(inside), [inside]);
  const more = earlier.load && <Button variant="subtle" size="compact-sm" mt={6} loading={earlier.busy} onClick={earlier.load}>Show earlier steps</Button>;
  if (rows.length === 0) return <><Empty title="No step in this range">Zoom out on the time axis to see the others.</Empty>{more}</>;
  return (
    <>
    <ol className={classes.timeline} aria-label="Timeline, newest first">
      {rows.map((row) => (row.kind === "step" ? <StepRow key={row.step.id} step={row.step} actions={actions} /> : <RunRow key={row.id} steps={row.steps} alerts={row.alerts} actions={actions} />))}
    </ol>
    {more}
    </>
  );
}
