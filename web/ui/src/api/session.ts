// Who is at the page. The server keeps the session in a cookie; the page keeps what it must show with each change, and
// notices when the session is gone.
import { useQuery } from "@tanstack/react-query";
import type { components } from "./schema";
import { ApiError, client, take } from "./client";

export type Me = components["schemas"]["Me"];
export type LoginWays = components["schemas"]["LoginWays"];

/** Tells whoever listens that a request was refused because nobody is logged in. */
export class Session {
  csrf = "";
  lost = false;
  private readonly listeners = new Set<() => void>();

  subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Takes over who is logged in. */
  begin(me: Me): void {
    this.csrf = me.csrf;
    this.set(false);
  }

  lose(): void {
    this.set(true);
  }

  private set(lost: boolean): void {
    if (this.lost === lost) return;
    this.lost = lost;
    for (const listener of this.listeners) listener();
  }
}

export const session = new Session();

const free = /\/api\/fairlead\/v1\/(login|password|links\/.*|me)$/;

client.use({
  onRequest({ request }) {
    if (session.csrf && request.method !== "GET") request.headers.set("Fairlead-CSRF", session.csrf);
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401 && !free.test(new URL(request.url).pathname)) session.lose();
    return response;
  },
});

export const meQuery = {
  queryKey: ["me"],
  staleTime: Infinity,
  queryFn: async (): Promise<Me | null> => {
    try {
      const me = await take(client.GET("/api/fairlead/v1/me"));
      session.begin(me);
      return me;
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  },
} as const;

export const waysQuery = { queryKey: ["login"], queryFn: () => take(client.GET("/api/fairlead/v1/login")) } as const;

/** Whether some role of a person is not limited to teams: what shows all teams at once is for those alone. */
export const isWhole = (me: Me | null | undefined): boolean => me?.admin === true || me?.grants.some((g) => !g.teams?.length) === true;

/** Whether one has a role that acts on incidents, silences and maintenance, somewhere at least; the server judges each case. */
export function useResponder(): boolean {
  const { data: me } = useQuery(meQuery);
  return me === undefined || me === null || (!me.readOnly && (me.admin || me.roles.includes("responder")));
}

/** Whether one may register models and ask for aliases. */
export const mayLearn = (me: Me | null | undefined): boolean => me != null && !me.readOnly && (me.admin || me.roles.includes("researcher"));
