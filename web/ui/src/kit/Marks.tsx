import {
  IconAlertOctagonFilled, IconAlertTriangle, IconAlertTriangleFilled, IconBellOff, IconCircleCheck, IconCircleDashed,
  IconCircleDot, IconHandStop, IconInfoCircle, IconMinus, IconBell, IconClockPause, IconWaveSine, IconArrowsJoin, IconEyeOff,
  IconPlus, IconClockExclamation, type TablerIcon,
} from "@tabler/icons-react";
import type { Delivery, Disposition, Severity, State, TeeComparison } from "../api/types";
import classes from "./Marks.module.css";

const severityIcons: Record<Severity, TablerIcon> = {
  critical: IconAlertOctagonFilled, error: IconAlertTriangleFilled, warning: IconAlertTriangle, info: IconInfoCircle, none: IconMinus,
};

const stateIcons: Record<State, TablerIcon> = {
  open: IconCircleDot, acknowledged: IconHandStop, forming: IconCircleDashed, resolved: IconCircleCheck, suppressed: IconBellOff,
};

const stateColours: Record<State, string> = { open: "open", acknowledged: "acknowledged", resolved: "resolved", forming: "quiet", suppressed: "quiet" };

const dispositionIcons: Record<Disposition, TablerIcon> = {
  told: IconBell, held: IconClockPause, silenced: IconBellOff, inhibited: IconArrowsJoin, flapping: IconWaveSine, suppressed: IconEyeOff,
};

/** The word of a severity; "none" says what it means. */
export const severityWord = (severity: Severity): string => (severity === "none" ? "unrated" : severity);

interface MarkProps {
  icon: TablerIcon;
  word: string;
  colour: string;
  short?: boolean | undefined;
}

/** An icon and its word in one colour. Short hides the word from the eye, not from the ear. */
export function Mark({ icon: Icon, word, colour, short }: MarkProps) {
  return (
    <span className={classes.mark} style={{ color: `var(--fl-${colour})` }} title={short ? word : undefined}>
      <Icon size={15} stroke={1.8} aria-hidden />
      <span className={short ? "hidden-text" : undefined}>{word}</span>
    </span>
  );
}

export function SeverityMark({ severity, short }: { severity: Severity; short?: boolean }) {
  return <Mark icon={severityIcons[severity]} word={severityWord(severity)} colour={severity} short={short} />;
}

export function StateMark({ state, short }: { state: State; short?: boolean }) {
  return <Mark icon={stateIcons[state]} word={state} colour={stateColours[state]} short={short} />;
}

export function FiringMark({ state }: { state: "firing" | "resolved" }) {
  return state === "firing" ? <Mark icon={IconCircleDot} word="firing" colour="open" /> : <Mark icon={IconCircleCheck} word="resolved" colour="resolved" />;
}

export function DispositionMark({ disposition }: { disposition: Disposition }) {
  return <Mark icon={dispositionIcons[disposition]} word={disposition} colour={disposition === "told" ? "open" : "quiet"} />;
}

/** Whether something that was tried went well, in a word of one's own. */
export function OutcomeMark({ ok, word }: { ok: boolean; word: string }) {
  return <Mark icon={ok ? IconCircleCheck : IconAlertTriangleFilled} word={word} colour={ok ? "resolved" : "error"} />;
}

const deliveryMarks: Record<Delivery["state"], { icon: TablerIcon; colour: string }> = {
  pending: { icon: IconClockPause, colour: "quiet" }, sent: { icon: IconCircleCheck, colour: "resolved" },
  failed: { icon: IconAlertTriangleFilled, colour: "error" }, muted: { icon: IconBellOff, colour: "quiet" },
};

export function DeliveryMark({ state }: { state: Delivery["state"] }) {
  return <Mark {...deliveryMarks[state]} word={state} />;
}

/** Something that is open right now, with its own words. */
export function OpenMark({ children }: { children: React.ReactNode }) {
  return <span className={classes.mark}><IconCircleDot size={15} stroke={1.8} aria-hidden /><span>open{children}</span></span>;
}

const verdictMarks: Record<TeeComparison["verdict"], { icon: TablerIcon; colour: string }> = {
  missed: { icon: IconAlertOctagonFilled, colour: "critical" }, later: { icon: IconClockExclamation, colour: "warning" },
  extra: { icon: IconPlus, colour: "info" }, same: { icon: IconCircleCheck, colour: "resolved" },
};

export function VerdictMark({ verdict }: { verdict: TeeComparison["verdict"] }) {
  return <Mark {...verdictMarks[verdict]} word={verdict} />;
}
