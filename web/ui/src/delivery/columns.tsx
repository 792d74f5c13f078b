import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Delivery } from "../api/types";
import type { Column } from "../kit/DataTable";
import { DeliveryMark } from "../kit/Marks";
import { formatCount, plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./delivery.module.css";

const column = createColumnHelper<Delivery>();

/** What is known of the outcome: why it failed or was muted, and when it is tried again. */
export function Outcome({ of }: { of: Delivery }) {
  return <span className="dim" title={of.reason}>{of.nextAttemptAt && <>next try <Time at={of.nextAttemptAt} />{of.reason && "; "}</>}{of.reason}</span>;
}

function Incident({ id }: { id: string }) {
  return id ? <Link to="/incidents/$id" params={{ id }} search={{ tab: "told" }}>{id}</Link> : <span className="dim">none</span>;
}

export const columns: Column<Delivery>[] = [
  column.accessor("at", { header: "Decided", meta: { width: 124 }, cell: (c) => <Time at={c.row.original.at} /> }),
  column.accessor("state", { header: "State", meta: { width: 104 }, cell: (c) => <DeliveryMark state={c.row.original.state} /> }),
  column.accessor("receiver", { header: "Receiver", meta: { width: 200 }, cell: (c) => <span className={classes.receiver} title={`${c.row.original.receiver}, ${c.row.original.integration}`}>{c.row.original.receiver} <span className="dim">{c.row.original.integration}</span></span> }),
  column.accessor("incident", { header: "Incident", meta: { width: 92 }, cell: (c) => <Incident id={c.row.original.incident} /> }),
  column.accessor("why", { header: "Why", meta: { width: 100 } }),
  column.accessor("alertCount", { header: "Alerts", meta: { width: 68, right: true }, cell: (c) => formatCount(c.row.original.alertCount) }),
  column.accessor("attempts", { header: "Tries", meta: { width: 64, right: true }, cell: (c) => formatCount(c.row.original.attempts) }),
  column.accessor("reason", { header: "Reason", cell: (c) => <Outcome of={c.row.original} /> }),
];

/** Without the incident, for the incident's own page. */
export const ofIncident: Column<Delivery>[] = columns.filter((c) => !("accessorKey" in c && c.accessorKey === "incident"));

export const narrowColumns: Column<Delivery>[] = [
  column.accessor("receiver", {
    header: "Delivery",
    cell: (c) => {
      const of = c.row.original;
      return (
        <div className={classes.stacked}>
          <span className="cut"><span className={classes.receiver}>{of.receiver}</span> <Incident id={of.incident} /></span>
          <span className={classes.under}><DeliveryMark state={of.state} /><span className="dim">{of.why}, {plural(of.alertCount, "alert")}</span><span className="dim"><Time at={of.at} /></span></span>
        </div>
      );
    },
  }),
];
