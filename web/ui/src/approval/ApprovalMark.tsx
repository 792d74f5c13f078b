import { IconAlertTriangleFilled, IconCircleCheck, IconCircleX, IconClock, IconClockOff, IconPlayerPlay, type TablerIcon } from "@tabler/icons-react";
import { Mark } from "../kit/Marks";
import type { Approval } from "./query";

const marks: Record<Approval["state"], [TablerIcon, string]> = {
  pending: [IconClock, "open"], approved: [IconPlayerPlay, "acknowledged"], executed: [IconCircleCheck, "resolved"], failed: [IconAlertTriangleFilled, "error"],
  rejected: [IconCircleX, "quiet"], cancelled: [IconCircleX, "quiet"], expired: [IconClockOff, "quiet"],
};

/** The state of an approval, as icon and word. */
export function ApprovalMark({ state }: { state: Approval["state"] }) {
  const [icon, colour] = marks[state];
  return <Mark icon={icon} word={state} colour={colour} />;
}
