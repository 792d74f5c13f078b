// One's own sessions and tokens.
import { queryOptions } from "@tanstack/react-query";
import { client, done, take } from "../api/client";
import type { components } from "../api/schema";

type Schemas = components["schemas"];
export type Session = Schemas["Session"];
export type Token = Schemas["Token"];
export type TokenMade = Schemas["TokenMade"];
export type NewToken = NonNullable<Schemas["CreateTokenBody"]>;

const base = "/api/fairlead/v1";

export const sessionKey = ["sessions"] as const;
export const tokenKey = ["tokens"] as const;

export const sessionsQuery = queryOptions({ queryKey: sessionKey, queryFn: ({ signal }) => take(client.GET(`${base}/sessions`, { signal })) });
export const tokensQuery = queryOptions({ queryKey: tokenKey, queryFn: ({ signal }) => take(client.GET(`${base}/tokens`, { signal })) });

export const endSession = (id: string) => done(client.DELETE(`${base}/sessions/{id}`, { params: { path: { id } } }));
export const revokeToken = (id: string) => done(client.DELETE(`${base}/tokens/{id}`, { params: { path: { id } } }));
export const createToken = (body: NewToken) => take(client.POST(`${base}/tokens`, { body }));
export const changePassword = (present: string, next: string) => done(client.POST(`${base}/password`, { body: { present, next } }));
