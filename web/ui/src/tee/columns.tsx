import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { TeeComparison } from "../api/types";
import type { Column } from "../kit/DataTable";
import { SeverityMark, VerdictMark } from "../kit/Marks";
import { formatCount } from "../kit/numbers";
import { Time } from "../kit/Time";
import { delay, sayDelay, severityOf } from "./report";
import classes from "./tee.module.css";

const column = createColumnHelper<TeeComparison>();

function Title({ of }: { of: TeeComparison }) {
  return of.incident ? <Link to="/incidents/$id" params={{ id: of.incident }} search={{}} className={classes.title} title={of.title}>{of.title}</Link> : <span className={classes.title} title={of.title}>{of.title}</span>;
}

const names = (list: readonly string[]) => (list.length > 0 ? <span title={list.join(", ")}>{list.join(", ")}</span> : <span className="dim">nobody</span>);

const list: Column<TeeComparison>[] = [
  column.accessor("verdict", { header: "Verdict", meta: { width: 100 }, cell: (c) => <VerdictMark verdict={c.row.original.verdict} /> }),
  column.accessor("title", { header: "Incident", cell: (c) => <Title of={c.row.original} /> }),
  column.accessor("severity", { header: "Severity", meta: { width: 96 }, cell: (c) => <SeverityMark severity={severityOf(c.row.original.severity)} /> }),
  column.accessor("notifications", { header: "Notified", meta: { width: 76, right: true }, cell: (c) => formatCount(c.row.original.notifications) }),
  column.accessor("told", { header: "Tool told", meta: { width: 130 }, cell: (c) => names(c.row.original.told) }),
  column.accessor("toldAt", { header: "At", meta: { width: 108, right: true }, cell: (c) => (c.row.original.toldAt ? <Time at={c.row.original.toldAt} /> : <span className="dim">never</span>) }),
  column.accessor("receivers", { header: "Fairlead tells", meta: { width: 130 }, cell: (c) => (c.row.original.shownAt && c.row.original.receivers.length === 0 ? <span className="dim" title="Fairlead would have told, but has no receivers yet: give it your alertmanager.yml.">no receiver yet</span> : names(c.row.original.receivers)) }),
  column.accessor("shownAt", { header: "At", id: "shown", meta: { width: 108, right: true }, cell: (c) => (c.row.original.shownAt ? <Time at={c.row.original.shownAt} /> : <span className="dim">never</span>) }),
  column.display({ id: "delay", header: "Difference", meta: { width: 116, right: true }, cell: (c) => sayDelay(delay(c.row.original)) }),
  column.accessor("why", { header: "Why", cell: (c) => <span className="dim" title={c.row.original.why}>{c.row.original.why}</span> }),
];

const idOf = (c: Column<TeeComparison>): string => c.id ?? ("accessorKey" in c ? String(c.accessorKey) : "");
const leftOut = new Set(["severity", "toldAt", "shown"]);

export const columns = list;
export const middleColumns = list.filter((c) => !leftOut.has(idOf(c)));

export const narrowColumns: Column<TeeComparison>[] = [
  column.accessor("title", {
    header: "Incident",
    cell: (c) => {
      const of = c.row.original;
      return <div className={classes.stacked}><Title of={of} /><span className={classes.under}><VerdictMark verdict={of.verdict} /><span className="dim">{formatCount(of.notifications)} notified</span><span className="dim">{sayDelay(delay(of)) || of.why}</span></span></div>;
    },
  }),
];
