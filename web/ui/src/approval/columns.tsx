import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Column } from "../kit/DataTable";
import { Time } from "../kit/Time";
import classes from "./approval.module.css";
import { ApprovalMark } from "./ApprovalMark";
import type { Approval } from "./query";

const column = createColumnHelper<Approval>();

const Summary = ({ of }: { of: Approval }) => <Link to="/approvals" search={(old) => ({ ...old, pick: of.id })} className={classes.name} title={of.summary}>{of.summary}</Link>;

export const columns: Column<Approval>[] = [
  column.accessor("state", { header: "State", meta: { width: 120 }, cell: (c) => <ApprovalMark state={c.row.original.state} /> }),
  column.accessor("summary", { header: "What will happen", cell: (c) => <Summary of={c.row.original} /> }),
  column.accessor("requester", { header: "Asked by", meta: { width: 120 } }),
  column.accessor("decisions", { header: "Decided by", meta: { width: 150 }, cell: (c) => <span className="dim">{c.row.original.decisions.map((d) => d.by).join(", ") || "nobody yet"}</span> }),
  column.accessor("createdAt", { header: "Asked", meta: { width: 116, right: true }, cell: (c) => <Time at={c.row.original.createdAt} /> }),
  column.accessor("expiresAt", { header: "Expires", meta: { width: 116, right: true }, cell: (c) => (c.row.original.state === "pending" ? <Time at={c.row.original.expiresAt} /> : <span className="dim" />) }),
];

export const narrowColumns: Column<Approval>[] = [
  column.accessor("summary", { header: "What will happen", cell: (c) => <div className={classes.stacked}><Summary of={c.row.original} /><span className={classes.under}><ApprovalMark state={c.row.original.state} /><span className="dim">{c.row.original.requester}, <Time at={c.row.original.createdAt} /></span></span></div> }),
];
