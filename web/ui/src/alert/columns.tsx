import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Alert } from "../api/types";
import type { Column } from "../kit/DataTable";
import { DispositionMark, FiringMark, SeverityMark } from "../kit/Marks";
import { formatCount } from "../kit/numbers";
import { Span, Time } from "../kit/Time";
import classes from "./alert.module.css";
import { sentenceOf, serviceOf } from "./filter";

const column = createColumnHelper<Alert>();

/** Opens an alert beside the page one is on, or its decision record within it. */
export function AlertLink({ alert, as = "alert" }: { alert: Alert; as?: "alert" | "pick" }) {
  return (
    <Link to="." search={(old) => ({ ...old, [as]: alert.id })} className={classes.name} title={sentenceOf(alert)}>
      {alert.name} <span className="dim">{sentenceOf(alert)}</span>
    </Link>
  );
}

type Columns = Column<Alert>[];

const severity = column.accessor("severity", { header: "Severity", meta: { width: 104, sort: "severity" }, cell: (c) => <SeverityMark severity={c.row.original.severity} /> });
const name = column.accessor("name", { header: "Alert", meta: { sort: "name" }, cell: (c) => <AlertLink alert={c.row.original} /> });
const service = column.display({ id: "service", header: "Service", meta: { width: 120, sort: "service" }, cell: (c) => serviceOf(c.row.original) });
const state = column.accessor("state", { header: "State", meta: { width: 104 }, cell: (c) => <FiringMark state={c.row.original.state} /> });
const told = column.accessor("disposition", { header: "Told?", meta: { width: 108 }, cell: (c) => <DispositionMark disposition={c.row.original.disposition} /> });
const lasts = column.accessor("startsAt", { header: "Lasts", id: "lasts", meta: { width: 88, right: true }, cell: (c) => <Span from={c.row.original.startsAt} to={c.row.original.endsAt} /> });
const started = column.accessor("startsAt", { header: "Started", id: "started", meta: { width: 116, right: true, sort: "started" }, cell: (c) => <span className="dim"><Time at={c.row.original.startsAt} /></span> });
const reports = column.accessor("reports", { header: "Reports", meta: { width: 88, right: true, sort: "reports" }, cell: (c) => formatCount(c.row.original.reports) });
const incident = column.accessor("incident", {
  header: "Incident", meta: { width: 112, right: true },
  cell: (c) => (c.row.original.incident ? <span data-above><Link to="/incidents/$id" params={{ id: c.row.original.incident }} search={{}} className={classes.inner}>{c.row.original.incident}</Link></span> : <span className="dim">none</span>),
});

export const listColumns: Columns = [severity, name, service, state, told, lasts, started, reports, incident];
export const incidentColumns: Columns = [severity, name, service, state, told, lasts, started, reports];
export const middleColumns: Columns = [severity, name, service, state, told, started];

export const pickColumns: Columns = [
  column.accessor("disposition", { header: "Told?", meta: { width: 120 }, cell: (c) => <DispositionMark disposition={c.row.original.disposition} /> }),
  column.accessor("name", { header: "Alert", cell: (c) => <AlertLink alert={c.row.original} as="pick" /> }),
];

export const narrowColumns: Columns = [
  column.accessor("name", {
    header: "Alert",
    cell: (c) => (
      <div className={classes.stacked}>
        <AlertLink alert={c.row.original} />
        <span className={classes.under}><SeverityMark severity={c.row.original.severity} /><FiringMark state={c.row.original.state} /><DispositionMark disposition={c.row.original.disposition} /></span>
      </div>
    ),
  }),
];
