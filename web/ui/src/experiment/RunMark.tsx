import { IconAlertTriangle, IconCircleCheck, IconClock, IconPlayerPlay, IconPlayerStop, type TablerIcon } from "@tabler/icons-react";
import { Mark } from "../kit/Marks";
import type { Run } from "./query";

const icons: Record<Run["status"], TablerIcon> = { RUNNING: IconPlayerPlay, SCHEDULED: IconClock, FINISHED: IconCircleCheck, FAILED: IconAlertTriangle, KILLED: IconPlayerStop };
const colours: Record<Run["status"], string> = { RUNNING: "info", SCHEDULED: "quiet", FINISHED: "resolved", FAILED: "critical", KILLED: "warning" };

/** How far a run is. */
export const RunMark = ({ status, short }: { status: Run["status"]; short?: boolean }) => <Mark icon={icons[status]} word={status.toLowerCase()} colour={colours[status]} short={short} />;
