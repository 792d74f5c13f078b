import { useMediaQuery } from "@mantine/hooks";
import { IconCircleCheck, IconLock, IconMail } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { createColumnHelper } from "@tanstack/react-table";
import { useMemo } from "react";
import { DataTable, type Column } from "../kit/DataTable";
import { Mark } from "../kit/Marks";
import { Time } from "../kit/Time";
import { useRowKeys } from "../kit/useRowKeys";
import classes from "./people.module.css";
import { sayGrant, type Team, type User } from "./query";

const users = createColumnHelper<User>();

const Pick = ({ id, q, children }: { id: string; q?: string; children: React.ReactNode }) => <Link to="/people" search={{ ...(q ? { q } : {}), pick: id }} className={classes.name}>{children}</Link>;

function State({ of }: { of: User }) {
  if (of.disabled) return <Mark icon={IconLock} word="disabled" colour="quiet" />;
  if (!of.password && !of.provider) return <Mark icon={IconMail} word="link not opened" colour="quiet" />;
  return <Mark icon={IconCircleCheck} word={of.provider ? "by single sign-on" : "by password"} colour="resolved" />;
}

const grants = (of: User): string => of.grants.map(sayGrant).join("; ") || "nothing";
const last = (of: User) => (of.lastLogin ? <Time at={of.lastLogin} /> : <span className="dim">never</span>);

const wide: Column<User>[] = [
  users.accessor("name", { header: "Name", meta: { width: 220 }, cell: (c) => <Pick id={c.row.original.name}>{c.row.original.name} <span className="dim">{c.row.original.display}</span></Pick> }),
  users.accessor("grants", { header: "May", cell: (c) => <span title={grants(c.row.original)}>{grants(c.row.original)}</span> }),
  users.accessor("email", { header: "E-mail", meta: { width: 200 }, cell: (c) => <span className="dim">{c.row.original.email}</span> }),
  users.accessor("disabled", { header: "Logs in", meta: { width: 160 }, cell: (c) => <State of={c.row.original} /> }),
  users.accessor("lastLogin", { header: "Last login", meta: { width: 124, right: true }, cell: (c) => last(c.row.original) }),
];

const narrow: Column<User>[] = [
  users.accessor("name", { header: "Name", cell: (c) => <div className={classes.stacked}><Pick id={c.row.original.name}>{c.row.original.name} <span className="dim">{c.row.original.display}</span></Pick><span className={classes.under}><span className="cut">{grants(c.row.original)}</span><span className="dim">{last(c.row.original)}</span></span></div> }),
];

/** Everybody who can log in. */
export function UserTable({ users: rows, onPick }: { users: readonly User[]; onPick: (name: string) => void }) {
  const small = useMediaQuery("(max-width: 760px)");
  const [active, setActive] = useRowKeys(rows.map((row) => row.name), onPick);
  return <DataTable label="People" rows={rows} columns={small ? narrow : wide} rowId={(row) => row.name} rowName={(row) => row.name} rowHeight={small ? 58 : 36} active={active} onActive={setActive} />;
}

interface Row extends Team {
  members: string[];
}

const teams = createColumnHelper<Row>();

const teamColumns: Column<Row>[] = [
  teams.accessor("name", { header: "Team", meta: { width: 200 }, cell: (c) => <Pick id={c.row.original.name} q="teams">{c.row.original.name}</Pick> }),
  teams.accessor("description", { header: "What it looks after", cell: (c) => <span className="dim">{c.row.original.description}</span> }),
  teams.accessor("members", { header: "Roles limited to it", meta: { width: 300 }, cell: (c) => <span title={c.row.original.members.join(", ")}>{c.row.original.members.join(", ") || <span className="dim">nobody’s</span>}</span> }),
];

/** All teams, with those whose roles are limited to them. */
export function TeamTable({ teams: list, users: all, onPick }: { teams: readonly Team[]; users: readonly User[]; onPick: (name: string) => void }) {
  const small = useMediaQuery("(max-width: 760px)");
  const rows = useMemo(() => list.map((t) => ({ ...t, members: all.filter((u) => u.grants.some((g) => g.teams?.includes(t.name))).map((u) => u.name) })), [list, all]);
  const [active, setActive] = useRowKeys(rows.map((row) => row.name), onPick);
  return <DataTable label="Teams" rows={rows} columns={small ? teamColumns.slice(0, 1) : teamColumns} rowId={(row) => row.name} rowName={(row) => row.name} active={active} onActive={setActive} />;
}
