import { Button } from "@mantine/core";
import { IconBellOff, IconClock, IconHistory } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { keys } from "../api/queries";
import { useResponder } from "../api/session";
import type { Column } from "../kit/DataTable";
import { formatCount } from "../kit/numbers";
import { offerUndo } from "../kit/offerUndo";
import { Time } from "../kit/Time";
import { failToast } from "../kit/toast";
import { asFilter } from "./draft";
import { silence as change, silenceKey, type Silence } from "./query";
import classes from "./silence.module.css";

const column = createColumnHelper<Silence>();
const icons = { active: IconBellOff, pending: IconClock, expired: IconHistory };

function State({ of }: { of: Silence }) {
  const Icon = icons[of.state];
  return <span className={classes.state} data-state={of.state}><Icon size={15} aria-hidden />{of.state}</span>;
}

const Matchers = ({ of }: { of: Silence }) => <Link to="/silences" search={(old) => ({ ...old, pick: of.id })} className={`mono ${classes.name}`} title={of.matchers.join(", ")}>{of.matchers.join(", ")}</Link>;

const Muted = ({ of }: { of: Silence }) => (of.muted > 0 ? <span data-above><Link to="/alerts" search={{ q: `state:firing disposition:silenced ${asFilter(of.matchers)}` }} className="link">{formatCount(of.muted)}</Link></span> : <span className="dim">{of.state === "active" ? "nothing" : ""}</span>);

/** Ends a silence now; what it hid is told of again. */
export function End({ of }: { of: Silence }) {
  const queries = useQueryClient();
  const may = useResponder();
  const renew = (): void => { for (const queryKey of [silenceKey, keys.forgotten, keys.alerts]) void queries.invalidateQueries({ queryKey }); };
  const { mutate, isPending } = useMutation({
    mutationFn: () => change.expire(of.id),
    onSuccess: () => { renew(); offerUndo(`Ended the silence ${of.matchers.join(", ")}`, async () => { await change.create({ matchers: of.matchers, endsAt: of.endsAt, comment: of.comment, ...(of.state === "pending" ? { startsAt: of.startsAt } : {}) }); renew(); }); },
    onError: (error) => failToast(`Could not end the silence ${of.matchers.join(", ")}`, error),
  });
  if (!may || of.state === "expired") return null;
  return <span data-above><Button variant="default" size="compact-xs" loading={isPending} aria-label={`End the silence ${of.matchers.join(", ")}`} onClick={() => mutate()}>End</Button></span>;
}

export const columns: Column<Silence>[] = [
  column.accessor("state", { header: "State", meta: { width: 104 }, cell: (c) => <State of={c.row.original} /> }),
  column.accessor("matchers", { header: "Matches", cell: (c) => <Matchers of={c.row.original} /> }),
  column.accessor("comment", { header: "Why", cell: (c) => <span className="dim" title={c.row.original.comment}>{c.row.original.comment}</span> }),
  column.accessor("muted", { header: "Mutes now", meta: { width: 92, right: true }, cell: (c) => <Muted of={c.row.original} /> }),
  column.accessor("createdBy", { header: "By", meta: { width: 130 } }),
  column.accessor("startsAt", { header: "Starts", meta: { width: 116, right: true }, cell: (c) => <Time at={c.row.original.startsAt} /> }),
  column.accessor("endsAt", { header: "Ends", meta: { width: 116, right: true }, cell: (c) => <Time at={c.row.original.endsAt} /> }),
  column.display({ id: "end", header: () => <span className="hidden-text">Action</span>, meta: { width: 72, right: true }, cell: (c) => <End of={c.row.original} /> }),
];

export const narrowColumns: Column<Silence>[] = [
  column.accessor("matchers", { header: "Silence", cell: (c) => <div className={classes.stacked}><Matchers of={c.row.original} /><span className={classes.under}><State of={c.row.original} /><span className="dim">ends <Time at={c.row.original.endsAt} /></span><span className="dim">{c.row.original.createdBy}</span></span></div> }),
];
