import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Incident } from "../../api/types";
import type { Column } from "../../kit/DataTable";
import { SeverityMark, StateMark } from "../../kit/Marks";
import { formatCount, plural } from "../../kit/numbers";
import { Spark } from "../../kit/Spark";
import { Span, Time } from "../../kit/Time";
import classes from "./list.module.css";

const column = createColumnHelper<Incident>();

function Title({ incident }: { incident: Incident }) {
  return (
    <Link to="/incidents/$id" params={{ id: incident.id }} search={{}} className={classes.title} title={incident.title}>
      {incident.title}
      {incident.mergedInto && <span className="dim"> merged into {incident.mergedInto}</span>}
    </Link>
  );
}

type Columns = Column<Incident>[];

export const widestColumns: Columns = [
  column.accessor("severity", { header: "Severity", meta: { width: 96, sort: "severity" }, cell: (c) => <SeverityMark severity={c.row.original.severity} /> }),
  column.accessor("id", { header: "Id", meta: { width: 78 }, cell: (c) => <span className="dim">{c.row.original.id}</span> }),
  column.accessor("state", { header: "State", meta: { width: 128 }, cell: (c) => <StateMark state={c.row.original.state} /> }),
  column.accessor("title", { header: "Incident", meta: { sort: "title" }, cell: (c) => <Title incident={c.row.original} /> }),
  column.accessor("services", { header: "Hit", meta: { width: 152 }, cell: (c) => { const names = c.row.original.services; return <span className="dim" title={names.join(", ")}>{names.slice(0, 2).join(", ")}{names.length > 2 ? ` +${names.length - 2}` : ""}</span>; } }),
  column.accessor("owner", { header: "Owner", meta: { width: 88, sort: "owner" }, cell: (c) => { const { owner } = c.row.original; return owner ? <span title={owner}>{owner}</span> : <span className="dim">nobody</span>; } }),
  column.accessor("spark", { header: "Over time", meta: { width: 100 }, cell: (c) => <Spark values={c.row.original.spark} label={`${plural(c.row.original.alertCount, "alert")} over time`} /> }),
  column.accessor("alertCount", { header: "Alerts", meta: { width: 64, right: true, sort: "alerts" }, cell: (c) => formatCount(c.row.original.alertCount) }),
  column.accessor("firingCount", { header: "Firing", meta: { width: 62, right: true, sort: "firing" }, cell: (c) => <span className={c.row.original.firingCount === 0 ? "dim" : undefined}>{formatCount(c.row.original.firingCount)}</span> }),
  column.accessor("startedAt", { header: "Lasts", meta: { width: 78, right: true, sort: "started" }, cell: (c) => <Span from={c.row.original.startedAt} to={c.row.original.endedAt} /> }),
  column.accessor("lastSeenAt", { header: "Last seen", meta: { width: 104, right: true, sort: "seen" }, cell: (c) => <span className="dim"><Time at={c.row.original.lastSeenAt} /></span> }),
];

export const wideColumns: Columns = widestColumns.filter((c) => !("accessorKey" in c && c.accessorKey === "services"));

const middle = new Set(["severity", "id", "state", "title", "owner", "alertCount", "startedAt", "lastSeenAt"]);
export const middleColumns: Columns = widestColumns.filter((c) => "accessorKey" in c && middle.has(c.accessorKey));

export const narrowColumns: Columns = [
  column.accessor("title", {
    header: "Incident",
    cell: (c) => {
      const incident = c.row.original;
      return (
        <div className={classes.stacked}>
          <Title incident={incident} />
          <span className={classes.under}><SeverityMark severity={incident.severity} /><StateMark state={incident.state} short /><span className="dim">{plural(incident.alertCount, "alert")} · <Span from={incident.startedAt} to={incident.endedAt} />{incident.owner && ` · ${incident.owner}`}</span></span>
        </div>
      );
    },
  }),
];
