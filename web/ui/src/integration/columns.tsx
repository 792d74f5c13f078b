import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import type { Integration } from "../api/types";
import type { Column } from "../kit/DataTable";
import { formatCount, plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./integration.module.css";
import { senderOf } from "./senders";

const column = createColumnHelper<Integration>();

function Name({ of }: { of: Integration }) {
  return <Link to="/integrations/$name" params={{ name: of.name }} search={{}} className={classes.name}>{of.name}</Link>;
}

/** The last characters of the keys, newest last. */
export const hints = (of: Integration): string => of.keys.map((key) => `…${key.hint}`).join(", ");

const dimZero = (n: number) => <span className={n === 0 ? "dim" : undefined}>{formatCount(n)}</span>;

export const columns: Column<Integration>[] = [
  column.accessor("name", { header: "Name", meta: { width: 220 }, cell: (c) => <Name of={c.row.original} /> }),
  column.accessor("kind", { header: "Sender", meta: { width: 200 }, cell: (c) => senderOf(c.row.original.kind).title }),
  column.accessor("keys", { header: "Key", meta: { width: 140 }, cell: (c) => <span className={`dim${c.row.original.keys.length ? " mono" : ""}`}>{hints(c.row.original) || "none"}</span> }),
  column.accessor("requests", { header: "Requests", meta: { width: 88, right: true }, cell: (c) => dimZero(c.row.original.requests) }),
  column.accessor("alerts", { header: "Alerts", meta: { width: 80, right: true }, cell: (c) => dimZero(c.row.original.alerts) }),
  column.accessor("refused", { header: "Refused", meta: { width: 80, right: true }, cell: (c) => dimZero(c.row.original.refused) }),
  column.accessor("lastAt", { header: "Last seen", meta: { width: 124, right: true }, cell: (c) => (c.row.original.lastAt ? <Time at={c.row.original.lastAt} /> : <span className="dim">not yet</span>) }),
  column.accessor("lastError", { header: "Last error", cell: (c) => <span className="dim" title={c.row.original.lastError}>{c.row.original.lastError}</span> }),
];

export const middleColumns: Column<Integration>[] = columns.filter((c) => !("accessorKey" in c && c.accessorKey === "keys"));

export const narrowColumns: Column<Integration>[] = [
  column.accessor("name", {
    header: "Integration",
    cell: (c) => {
      const of = c.row.original;
      return (
        <div className={classes.stacked}>
          <Name of={of} />
          <span className={`${classes.under} dim`}><span className="cut">{senderOf(of.kind).title}</span><span>{plural(of.requests, "request")}</span>{of.refused > 0 && <span>{formatCount(of.refused)} refused</span>}{of.lastAt && <Time at={of.lastAt} />}</span>
        </div>
      );
    },
  }),
];
