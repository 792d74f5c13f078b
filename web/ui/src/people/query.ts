// Who can log in, what they may, and their teams.
import { queryOptions } from "@tanstack/react-query";
import { client, done, take } from "../api/client";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
export type User = Schemas["User"];
export type Team = Schemas["Team"];
export type Grant = Schemas["Grant"];
export type Role = Grant["role"];
export type UserEdit = Schemas["UserEdit"];
export type LinkMade = Schemas["LinkMade"];

export const roles: readonly { role: Role; may: string }[] = [
  { role: "viewer", may: "reads incidents, alerts, decisions and the calendar" },
  { role: "responder", may: "also acknowledges, resolves, merges, writes notes, silences, plans maintenance" },
  { role: "researcher", may: "reads; the models’ side, as it comes" },
  { role: "approver", may: "reads, the audit log too; decides approvals" },
  { role: "admin", may: "everything, also users, teams, integrations and purges" },
];

const base = "/api/fairlead/v1";

export const userKey = ["users"] as const;
export const teamKey = ["teams"] as const;

export const usersQuery = queryOptions({ queryKey: userKey, queryFn: ({ signal }) => take(client.GET(`${base}/users`, { signal })) });
export const teamsQuery = queryOptions({ queryKey: teamKey, queryFn: ({ signal }) => take(client.GET(`${base}/teams`, { signal })) });

const tag = (version: number): string => `"${version}"`;

export const user = {
  create: (name: string, edit: UserEdit) => take(client.POST(`${base}/users`, { body: { name, ...edit } })),
  update: (name: string, version: number, edit: UserEdit) => take(client.PUT(`${base}/users/{name}`, { params: { path: { name }, header: { "If-Match": tag(version) } }, body: edit })),
  remove: (name: string, version: number, reason: string) => done(client.DELETE(`${base}/users/{name}`, { params: { path: { name }, header: { "If-Match": tag(version) }, query: { reason } } })),
  link: (name: string, reason: string) => take(client.POST(`${base}/users/{name}/link`, { params: { path: { name } }, body: { reason } })),
  erase: (name: string, reason: string) => take(client.POST(`${base}/people/{name}/erase`, { params: { path: { name } }, body: { reason } })),
};

export const team = {
  create: (name: string, description: string) => take(client.POST(`${base}/teams`, { body: { name, description } })),
  update: (name: string, version: number, description: string) => take(client.PUT(`${base}/teams/{name}`, { params: { path: { name }, header: { "If-Match": tag(version) } }, body: { description } })),
  remove: (name: string, version: number) => done(client.DELETE(`${base}/teams/{name}`, { params: { path: { name }, header: { "If-Match": tag(version) } } })),
};

/** What a grant allows, in words. */
export const sayGrant = ({ role, teams }: Grant): string => (teams && teams.length > 0 ? `${role} in ${teams.join(", ")}` : role);
