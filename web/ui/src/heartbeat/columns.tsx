import { Button } from "@mantine/core";
import { IconAlertTriangle, IconCircleCheck, IconClock, IconPlayerPause, type TablerIcon } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Column } from "../kit/DataTable";
import { Mark } from "../kit/Marks";
import { Time } from "../kit/Time";
import classes from "./heartbeat.module.css";
import type { Heartbeat, HeartbeatState } from "./query";

const column = createColumnHelper<Heartbeat>();
const icons: Record<HeartbeatState, TablerIcon> = { heard: IconCircleCheck, waiting: IconClock, missing: IconAlertTriangle, paused: IconPlayerPause };
const colours: Record<HeartbeatState, string> = { heard: "resolved", waiting: "quiet", missing: "critical", paused: "quiet" };

function State({ of }: { of: Heartbeat }) {
  return <Mark icon={icons[of.state]} word={of.state} colour={colours[of.state]} />;
}

/** Go's "25h0m0s" as "25 h". */
export function sayInterval(text: string): string {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)].filter(([, n]) => Number(n) !== 0).map(([, n, unit]) => `${n} ${unit === "m" ? "min" : unit}`);
  return parts.join(" ");
}

const dim = (text: string) => <span className="dim">{text}</span>;

type Act = (of: Heartbeat) => void;

function Actions({ of, onToggle, onForget }: { of: Heartbeat; onToggle: Act; onForget: Act }) {
  return (
    <span className={classes.actions} data-above>
      <Button variant="default" size="compact-xs" onClick={() => onToggle(of)}>{of.state === "paused" ? "Resume" : "Pause"}</Button>
      <Button variant="subtle" color="gray" size="compact-xs" onClick={() => onForget(of)}>Forget…</Button>
    </span>
  );
}

function Name({ of }: { of: Heartbeat }) {
  return <Link to="/alerts" search={{ q: /\s/.test(of.name) ? of.name : `heartbeat=${of.name}` }} className={classes.name} title={`The alerts of ${of.name}`}>{of.name}{of.watchdog && <span className="dim"> Watchdog</span>}</Link>;
}

export const makeColumns = (onToggle: Act, onForget: Act): Column<Heartbeat>[] => [
  column.accessor("state", { header: "State", meta: { width: 110 }, cell: (c) => <State of={c.row.original} /> }),
  column.accessor("name", { header: "Name", cell: (c) => <Name of={c.row.original} /> }),
  column.accessor("integration", { header: "Heard through", meta: { width: 170 }, cell: (c) => dim(c.row.original.integration) }),
  column.accessor("interval", { header: "Every", meta: { width: 110, right: true }, cell: (c) => (c.row.original.interval ? sayInterval(c.row.original.interval) : dim("not known")) }),
  column.accessor("lastSeenAt", { header: "Last heard", meta: { width: 124, right: true }, cell: (c) => (c.row.original.lastSeenAt ? <Time at={c.row.original.lastSeenAt} /> : dim("never")) }),
  column.accessor("dueAt", { header: "Due", meta: { width: 124, right: true }, cell: (c) => (c.row.original.dueAt && c.row.original.state !== "paused" ? <Time at={c.row.original.dueAt} /> : dim("")) }),
  column.accessor("since", { header: "State since", meta: { width: 124, right: true }, cell: (c) => (c.row.original.since ? <span className="dim"><Time at={c.row.original.since} /></span> : dim("")) }),
  column.display({ id: "act", header: "Action", meta: { width: 170, right: true }, cell: (c) => <Actions of={c.row.original} onToggle={onToggle} onForget={onForget} /> }),
];

export const makeNarrowColumns = (onToggle: Act): Column<Heartbeat>[] => [
  column.accessor("name", {
    header: "Heartbeat",
    cell: (c) => {
      const of = c.row.original;
      return <div className={classes.stacked}><Name of={of} /><span className={classes.under}><State of={of} />{of.lastSeenAt && <span className="dim">heard <Time at={of.lastSeenAt} /></span>}</span></div>;
    },
  }),
  column.display({ id: "act", header: "Action", meta: { width: 80, right: true }, cell: (c) => <span data-above><Button variant="default" size="compact-xs" onClick={() => onToggle(c.row.original)}>{c.row.original.state === "paused" ? "Resume" : "Pause"}</Button></span> }),
];
