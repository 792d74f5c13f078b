import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useCallback } from "react";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import viewClasses from "../kit/Views.module.css";
import { teamsQuery, usersQuery } from "./query";
import { TeamDrawer } from "./TeamDrawer";
import { TeamTable, UserTable } from "./tables";
import { Csv } from "../kit/Csv";
import { UserDrawer } from "./UserDrawer";

/** Who can log in and what they may; and the teams to which roles can be limited. */
export function PeoplePage() {
  const { q, pick } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const users = useQuery(usersQuery), teams = useQuery(teamsQuery);
  const onTeams = q === "teams";
  const show = useCallback((id: string | undefined): void => void navigate({ to: "/people", search: (old) => ({ ...old, pick: id }) }), [navigate]);
  const list = onTeams ? teams : users;
  const views = [{ word: "People", q: undefined, count: users.data?.items.length }, { word: "Teams", q: "teams", count: teams.data?.items.length }];
  return (
    <>
      <PageHead title="People" actions={<><Csv name={onTeams ? "fairlead-teams" : "fairlead-people"} rows={(onTeams ? teams.data?.items : users.data?.items) ?? []} what={onTeams ? "the teams" : "the people"} /><Button leftSection={<IconPlus size={14} />} onClick={() => show("new")}>{onTeams ? "Add a team" : "Add somebody"}</Button></>}>
        {onTeams ? "An alert belongs to the team in its label “team”. A role can be limited to teams." : "Whoever is added gets a one-time link by which to set a password; nobody else ever knows it."}
      </PageHead>
      <div className={viewClasses.views} style={{ margin: "0 16px 8px" }} role="group" aria-label="Views">
        {views.map((v) => <Link key={v.word} to="/people" search={v.q ? { q: v.q } : {}} className={viewClasses.view} data-on={v.q === q || undefined} aria-current={v.q === q ? "page" : undefined}>{v.word}{v.count !== undefined && <span className="dim"> {v.count}</span>}</Link>)}
      </div>
      {list.isPending && <Loading label={onTeams ? "Loading teams" : "Loading people"} />}
      {list.error && !list.data && <Failure error={list.error} retry={() => void list.refetch()} />}
      {users.data && !onTeams && (users.data.items.length > 0 ? <UserTable users={users.data.items} onPick={show} /> : <Empty title="Nobody can log in yet">Without --dev, the server prints a link for the first admin when it starts.</Empty>)}
      {teams.data && onTeams && (teams.data.items.length > 0 ? <TeamTable teams={teams.data.items} users={users.data?.items ?? []} onPick={show} /> : <Empty title="No team yet">Add one for each value that your alerts have in the label “team”. Then a role can be limited to it: such a person sees what belongs to the team, or to none.</Empty>)}
      {pick && !onTeams && users.data && <UserDrawer key={pick} user={users.data.items.find((u) => u.name === pick)} fresh={pick === "new"} teams={teams.data?.items ?? []} onClose={() => show(undefined)} />}
      {pick && onTeams && teams.data && <TeamDrawer key={pick} team={teams.data.items.find((t) => t.name === pick)} onClose={() => show(undefined)} />}
    </>
  );
}
