import { IconBell, IconCircleCheck, IconCircleDot, IconEyeOff } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Column } from "../kit/DataTable";
import { Mark } from "../kit/Marks";
import { Time } from "../kit/Time";
import classes from "./anomaly.module.css";
import type { Anomaly } from "./query";

const column = createColumnHelper<Anomaly>();

export function Going({ of }: { of: Anomaly }) {
  return of.endedAt || of.active === 0 ? <Mark icon={IconCircleCheck} word="over" colour="resolved" /> : <Mark icon={IconCircleDot} word="goes on" colour="open" />;
}

export function Told({ of }: { of: Anomaly }) {
  if (of.toldAt) return <Mark icon={IconBell} word="told" colour="open" />;
  return of.joined ? <Mark icon={IconBell} word="with another" colour="quiet" /> : <Mark icon={IconEyeOff} word="not told" colour="quiet" />;
}

function Title({ of }: { of: Anomaly }) {
  return <Link to="/anomalies" search={(old) => ({ ...old, anomaly: of.id })} className={classes.title}>{of.title}</Link>;
}

/** How often something comes about that comes so often a week. */
export function sayRate(weekly: number): string {
  if (weekly >= 0.95) return `${Math.round(weekly)} a week`;
  const weeks = 1 / Math.max(weekly, 1e-9);
  if (weeks < 100) return `1 in ${Math.round(weeks)} weeks`;
  const years = weeks / 52.18;
  return years > 1000 ? "1 in > 1,000 years" : `1 in ${Math.round(years)} years`;
}

export const columns: Column<Anomaly>[] = [
  column.accessor("active", { header: "State", meta: { width: 116 }, cell: (c) => <Going of={c.row.original} /> }),
  column.accessor("title", { header: "Abnormal", cell: (c) => <Title of={c.row.original} /> }),
  column.accessor("entity", { header: "Of", meta: { width: 240 }, cell: (c) => <span className={classes.cut} title={c.row.original.entity}>{c.row.original.entity}</span> }),
  column.accessor("series", { header: "Series", meta: { width: 80, right: true }, cell: (c) => c.row.original.series }),
  column.accessor("rate", { header: "As rare comes", meta: { width: 140, right: true }, cell: (c) => sayRate(c.row.original.rate) }),
  column.accessor("toldAt", { header: "People", meta: { width: 120 }, cell: (c) => <Told of={c.row.original} /> }),
  column.accessor("feedback", { header: "Said to be", meta: { width: 90 }, cell: (c) => <span className="dim">{c.row.original.feedback}</span> }),
  column.accessor("since", { header: "Since", meta: { width: 124, right: true }, cell: (c) => <Time at={c.row.original.since} /> }),
];

export const narrowColumns: Column<Anomaly>[] = [
  column.accessor("title", {
    header: "Abnormal",
    cell: (c) => {
      const of = c.row.original;
      return <div className={classes.stacked}><Title of={of} /><span className={classes.under}><Told of={of} /><span className="dim">{of.entity}</span><span className="dim"><Time at={of.since} /></span></span></div>;
    },
  }),
];
