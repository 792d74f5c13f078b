// What the page asks the server, and under which key TanStack Query keeps it.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { client, take } from "./client";
import type { paths } from "./schema";
import type { IntegrationEdit, Mapper, NewIntegration, WindowEdit } from "./types";

type Query<P extends keyof paths> = NonNullable<NonNullable<paths[P]["get"]>["parameters"]["query"]>;

export type IncidentFilter = Omit<Query<"/api/fairlead/v1/incidents">, "cursor" | "limit">;
export type AlertFilter = Omit<Query<"/api/fairlead/v1/alerts">, "cursor" | "limit">;

export type DeliveryFilter = Omit<Query<"/api/fairlead/v1/deliveries">, "cursor" | "limit">;

const base = "/api/fairlead/v1";
const pageSize = 200;
// Whoever asks for a second page wants many.
const laterPages = 500;

export const keys = {
  incidents: ["incidents"] as const,
  incident: (id: string) => ["incident", id] as const,
  incidentAlerts: (id: string) => ["incident-alerts", id] as const,
  alerts: ["alerts"] as const,
  stats: ["stats"] as const,
  deadLetters: ["dead-letters"] as const,
  deliveries: ["deliveries"] as const,
  maintenance: ["maintenance"] as const,
  forgotten: ["forgotten"] as const,
  integrations: ["integrations"] as const,
  integration: (name: string) => ["integration", name] as const,
};

export const incidentsQuery = (filter: IncidentFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.incidents, filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/incidents`, { params: { query: { ...filter, cursor: pageParam || undefined, limit: pageParam ? laterPages : pageSize } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: keys.incident(id),
    queryFn: ({ signal }) => take(client.GET(`${base}/incidents/{id}`, { params: { path: { id } }, signal })),
  });

export const incidentAlertsQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: keys.incidentAlerts(id),
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/incidents/{id}/alerts`, { params: { path: { id }, query: { cursor: pageParam || undefined, limit: pageSize } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

/** The steps before those of the incident itself, page by page, from the cursor on. */
export const earlierStepsQuery = (id: string, cursor: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.incident(id), "steps", cursor],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/incidents/{id}/timeline`, { params: { path: { id }, query: { cursor: pageParam, limit: laterPages } }, signal })),
    initialPageParam: cursor,
    getNextPageParam: (last) => last.next || undefined,
  });

export const alertsQuery = (filter: AlertFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.alerts, filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/alerts`, { params: { query: { ...filter, cursor: pageParam || undefined, limit: pageSize } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
  });

export const alertSummaryQuery = (filter: AlertFilter) =>
  queryOptions({
    queryKey: [...keys.alerts, "summary", filter],
    queryFn: ({ signal }) => take(client.GET(`${base}/alerts/summary`, { params: { query: filter }, signal })),
    staleTime: 5_000,
  });

export const alertQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "one", id],
    queryFn: ({ signal }) => take(client.GET(`${base}/alerts/{id}`, { params: { path: { id } }, signal })),
  });

export const decisionQuery = (id: string) =>
  queryOptions({
    queryKey: [...keys.alerts, "decision", id],
    queryFn: ({ signal }) => take(client.GET(`${base}/alerts/{id}/decisions`, { params: { path: { id } }, signal })),
  });

export const statsQuery = queryOptions({
  queryKey: keys.stats,
  queryFn: ({ signal }) => take(client.GET(`${base}/stats`, { signal })),
});

export const deadLettersQuery = infiniteQueryOptions({
  queryKey: keys.deadLetters,
  queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/dead-letters`, { params: { query: { cursor: pageParam || undefined } }, signal })),
  initialPageParam: "",
  getNextPageParam: (last) => last.next || undefined,
});

// What senders send is not told by the event stream: whoever looks at it asks again.
const watchEvery = 2_000;

export const integrationsQuery = queryOptions({
  queryKey: keys.integrations,
  queryFn: ({ signal }) => take(client.GET(`${base}/integrations`, { signal })),
  refetchInterval: watchEvery,
});

export const integrationQuery = (name: string) =>
  queryOptions({
    queryKey: keys.integration(name),
    queryFn: ({ signal }) => take(client.GET(`${base}/integrations/{name}`, { params: { path: { name } }, signal })),
    refetchInterval: watchEvery,
  });

/** What a mapper would make of a payload; nothing is stored. */
export const previewQuery = (name: string, body: { mapper: Mapper; payload: string; headers: Record<string, string> }) =>
  queryOptions({
    queryKey: [...keys.integration(name), "preview", body],
    queryFn: ({ signal }) => take(client.POST(`${base}/integrations/{name}/preview`, { params: { path: { name } }, body, signal })),
    gcTime: 10_000,
  });

/** Everything that changes an integration. A version is the one that was edited; the server refuses it when there is a newer one. */
export const change = {
  create: (body: NewIntegration) => take(client.POST(`${base}/integrations`, { body })),
  update: (name: string, version: number, body: IntegrationEdit) => take(client.PUT(`${base}/integrations/{name}`, { params: { path: { name }, header: { "If-Match": version } }, body })),
  /** Asks for the deletion: somebody else must approve it. */
  remove: (name: string, reason: string) => take(client.DELETE(`${base}/integrations/{name}`, { params: { path: { name }, query: { reason } } })),
  rotate: (name: string, overlap: string) => take(client.POST(`${base}/integrations/{name}/keys`, { params: { path: { name } }, body: { overlap } })),
};

const deliveriesEvery = 3_000;

export const deliveriesQuery = (filter: DeliveryFilter) =>
  infiniteQueryOptions({
    queryKey: [...keys.deliveries, filter],
    queryFn: ({ pageParam, signal }) => take(client.GET(`${base}/deliveries`, { params: { query: { ...filter, cursor: pageParam || undefined, limit: pageSize } }, signal })),
    initialPageParam: "",
    getNextPageParam: (last) => last.next || undefined,
    // Whoever has read on to older ones is not at the newest any more.
    refetchInterval: (query) => ((query.state.data?.pages.length ?? 0) > 1 ? false : deliveriesEvery),
  });

const calendarEvery = 30_000;

export const maintenanceQuery = queryOptions({
  queryKey: keys.maintenance,
  queryFn: ({ signal }) => take(client.GET(`${base}/maintenance`, { signal })),
  refetchInterval: calendarEvery,
});

export const forgottenQuery = queryOptions({
  queryKey: keys.forgotten,
  queryFn: ({ signal }) => take(client.GET(`${base}/silences/forgotten`, { signal })),
  refetchInterval: calendarEvery,
});

/** When a window would be open; nothing is stored. */
export const occurrencesQuery = (body: WindowEdit) =>
  queryOptions({
    queryKey: [...keys.maintenance, "preview", body],
    queryFn: ({ signal }) => take(client.POST(`${base}/maintenance/preview`, { body, signal })),
    gcTime: 10_000,
  });

const reportEvery = 30_000;

/** The report over the last so many milliseconds, up to now. */
export const teeQuery = (span: number, late: string) =>
  queryOptions({
    queryKey: ["tee", span, late],
    queryFn: ({ signal }) => take(client.GET(`${base}/tee/report`, { params: { query: { from: new Date(Date.now() - span).toISOString(), late } }, signal })),
    refetchInterval: reportEvery,
  });

/** Everything that changes the maintenance calendar. */
export const plan = {
  create: (body: WindowEdit) => take(client.POST(`${base}/maintenance`, { body })),
  update: (id: string, version: number, body: WindowEdit) => take(client.PUT(`${base}/maintenance/{id}`, { params: { path: { id }, header: { "If-Match": version } }, body })),
  remove: (id: string) => take(client.DELETE(`${base}/maintenance/{id}`, { params: { path: { id } } })),
  expire: (silence: string) => take(client.POST(`${base}/silences/{id}/expire`, { params: { path: { id: silence } } })),
};

/** Everything that changes an incident; each answers with the step that did it. */
export const send = {
  acknowledge: (id: string) => take(client.POST(`${base}/incidents/{id}/acknowledge`, { params: { path: { id } }, body: {} })),
  resolve: (id: string) => take(client.POST(`${base}/incidents/{id}/resolve`, { params: { path: { id } }, body: {} })),
  reopen: (id: string) => take(client.POST(`${base}/incidents/{id}/reopen`, { params: { path: { id } }, body: {} })),
  merge: (into: string, from: string[]) => take(client.POST(`${base}/incidents/{id}/merge`, { params: { path: { id: into } }, body: { from } })),
  split: (id: string, alerts: string[]) => take(client.POST(`${base}/incidents/{id}/split`, { params: { path: { id } }, body: { alerts } })),
  assign: (id: string, alerts: string[]) => take(client.POST(`${base}/incidents/{id}/assign`, { params: { path: { id } }, body: { alerts } })),
  own: (id: string, owner: string) => take(client.POST(`${base}/incidents/{id}/own`, { params: { path: { id } }, body: { owner } })),
  note: (id: string, text: string) => take(client.POST(`${base}/incidents/{id}/notes`, { params: { path: { id } }, body: { text } })),
  undo: (step: string) => take(client.POST(`${base}/steps/{id}/undo`, { params: { path: { id: step } } })),
  replay: (letter: string) => take(client.POST(`${base}/dead-letters/{id}/replay`, { params: { path: { id: letter } } })),
};
