import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Column } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./audit.module.css";
import type { Entry } from "./query";

const column = createColumnHelper<Entry>();

/** What an entry is about, with a link where a page shows it. */
export function ObjectLink({ object }: { object: string }) {
  if (/^INC-\d+$/.test(object)) return <Link to="/incidents/$id" params={{ id: object }} search={{}} className={classes.link}>{object}</Link>;
  if (/^APR-\d+$/.test(object)) return <Link to="/approvals" search={{ pick: object }} className={classes.link}>{object}</Link>;
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(object)) return <Link to="/silences" search={{ pick: object }} className={classes.link}>{object}</Link>; // only silences have such names
  return <>{object}</>;
}

const Who = ({ of }: { of: Entry }) => (of.erased ? <span className="dim" title={`Forgotten: ${of.actor}`}>forgotten person</span> : <span title={of.person}>{of.actor}</span>);

const Did = ({ of }: { of: Entry }) => <Link to="/audit" search={(old) => ({ ...old, pick: String(of.n) })} className={classes.name}>{of.action}</Link>;

export const columns: Column<Entry>[] = [
  column.accessor("n", { header: "Entry", meta: { width: 84, right: true }, cell: (c) => <span className="dim">{formatCount(c.row.original.n)}</span> }),
  column.accessor("at", { header: "When", meta: { width: 116, right: true }, cell: (c) => <Time at={c.row.original.at} /> }),
  column.accessor("actor", { header: "Who", meta: { width: 170 }, cell: (c) => <Who of={c.row.original} /> }),
  column.accessor("action", { header: "Did", meta: { width: 190 }, cell: (c) => <Did of={c.row.original} /> }),
  column.accessor("object", { header: "To", meta: { width: 220 }, cell: (c) => <span data-above title={c.row.original.object}><ObjectLink object={c.row.original.object} /></span> }),
  column.accessor("reason", { header: "Why", cell: (c) => <span className="dim" title={c.row.original.reason}>{c.row.original.reason}</span> }),
];

export const narrowColumns: Column<Entry>[] = [
  column.accessor("action", { header: "Entry", cell: (c) => <div className={classes.stacked}><span><Did of={c.row.original} /> {c.row.original.object}</span><span className={classes.under}><Who of={c.row.original} /><span className="dim"><Time at={c.row.original.at} /> {c.row.original.reason}</span></span></div> }),
];
