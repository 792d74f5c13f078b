import { Link } from "@tanstack/react-router";
import { createColumnHelper, type ColumnDef } from "@tanstack/react-table";
import type { Incident } from "../../api/types";
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

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- columns of one table have different value types
type Columns = ColumnDef<Incident, any>[];

export const wideColumns: Columns = [
  column.accessor("severity", { header: "Severity", meta: { width: 104, sort: "severity" }, cell: (c) => <SeverityMark severity={c.getValue()} /> }),
  column.accessor("state", { header: "State", meta: { width: 130 }, cell: (c) => <StateMark state={c.getValue()} /> }),
  column.accessor("title", { header: "Incident", meta: { sort: "title" }, cell: (c) => <Title incident={c.row.original} /> }),
  column.accessor("services", { header: "Hit", meta: { width: 190 }, cell: (c) => { const names = c.getValue(); return <span className="dim" title={names.join(", ")}>{names.slice(0, 2).join(", ")}{names.length > 2 ? ` +${names.length - 2}` : ""}</span>; } }),
  column.accessor("spark", { header: "Alerts over time", meta: { width: 112 }, cell: (c) => <Spark values={c.getValue()} label={`${plural(c.row.original.alertCount, "alert")} over time`} /> }),
  column.accessor("alertCount", { header: "Alerts", meta: { width: 76, right: true, sort: "alerts" }, cell: (c) => formatCount(c.getValue()) }),
  column.accessor("firingCount", { header: "Firing", meta: { width: 76, right: true, sort: "firing" }, cell: (c) => <span className={c.getValue() === 0 ? "dim" : undefined}>{formatCount(c.getValue())}</span> }),
  column.accessor("startedAt", { header: "Lasts", meta: { width: 96, right: true, sort: "started" }, cell: (c) => <Span from={c.getValue()} to={c.row.original.endedAt} /> }),
  column.accessor("lastSeenAt", { header: "Last seen", meta: { width: 116, right: true, sort: "seen" }, cell: (c) => <span className="dim"><Time at={c.getValue()} /></span> }),
  column.accessor("id", { header: "Id", meta: { width: 96, right: true }, cell: (c) => <span className="dim">{c.getValue()}</span> }),
];

const middle = new Set(["severity", "state", "title", "alertCount", "startedAt", "id"]);
export const middleColumns: Columns = wideColumns.filter((c) => "accessorKey" in c && middle.has(c.accessorKey));

export const narrowColumns: Columns = [
  column.accessor("title", {
    header: "Incident",
    cell: (c) => {
      const incident = c.row.original;
      return (
        <div className={classes.stacked}>
          <Title incident={incident} />
          <span className={classes.under}><SeverityMark severity={incident.severity} /><StateMark state={incident.state} short /><span className="dim">{plural(incident.alertCount, "alert")} · <Span from={incident.startedAt} to={incident.endedAt} /></span></span>
        </div>
      );
    },
  }),
];
