import { IconAlertTriangle, IconCircleCheck, IconCircleDashed, IconPlayerPlay, type TablerIcon } from "@tabler/icons-react";
import { Mark } from "../kit/Marks";
import type { Trace } from "./query";

const marks: Record<Trace["state"], { icon: TablerIcon; word: string; colour: string }> = {
  OK: { icon: IconCircleCheck, word: "ok", colour: "resolved" },
  ERROR: { icon: IconAlertTriangle, word: "error", colour: "critical" },
  IN_PROGRESS: { icon: IconPlayerPlay, word: "in progress", colour: "info" },
  STATE_UNSPECIFIED: { icon: IconCircleDashed, word: "not told", colour: "quiet" },
};

/** How a trace stands. */
export const StateMark = ({ state }: { state: Trace["state"] }) => <Mark {...marks[state]} />;
