import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, redirect, type AnyRouter } from "@tanstack/react-router";
import { AlertListPage } from "../alert/AlertListPage";
import { AlertPage } from "../alert/AlertPage";
import { DeadLetterPage } from "../deadletter/DeadLetterPage";
import { IncidentListPage } from "../incident/list/IncidentListPage";
import { IncidentPage } from "../incident/detail/IncidentPage";
import { Empty, Failure } from "../kit/States";
import { parseSearch, readSearch, stringifySearch } from "./search";
import { Shell } from "./Shell";

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: Shell,
  validateSearch: readSearch,
  notFoundComponent: () => <Empty title="There is no such page">The address names nothing here. The incidents are at the top of the menu.</Empty>,
  errorComponent: ({ error, reset }) => <Failure error={error} retry={reset} />,
});

const routes = [
  createRoute({ getParentRoute: () => root, path: "/", component: IncidentListPage }),
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- how this router redirects
  createRoute({ getParentRoute: () => root, path: "/incidents", beforeLoad: () => { throw redirect({ to: "/", search: (old) => old }); } }),
  createRoute({ getParentRoute: () => root, path: "/incidents/$id", component: IncidentPage }),
  createRoute({ getParentRoute: () => root, path: "/alerts", component: AlertListPage }),
  createRoute({ getParentRoute: () => root, path: "/alerts/$id", component: AlertPage }),
  createRoute({ getParentRoute: () => root, path: "/dead-letters", component: DeadLetterPage }),
  createRoute({ getParentRoute: () => root, path: "/deliveries", component: lazyRouteComponent(() => import("../delivery/DeliveryListPage"), "DeliveryListPage") }),
  createRoute({ getParentRoute: () => root, path: "/silences", component: lazyRouteComponent(() => import("../silence/SilencePage"), "SilencePage") }),
  createRoute({ getParentRoute: () => root, path: "/overview", component: lazyRouteComponent(() => import("../overview/OverviewPage"), "OverviewPage") }),
  createRoute({ getParentRoute: () => root, path: "/health", component: lazyRouteComponent(() => import("../health/HealthPage"), "HealthPage") }),
  createRoute({ getParentRoute: () => root, path: "/maintenance", component: lazyRouteComponent(() => import("../maintenance/MaintenancePage"), "MaintenancePage") }),
  createRoute({ getParentRoute: () => root, path: "/approvals", component: lazyRouteComponent(() => import("../approval/ApprovalPage"), "ApprovalPage") }),
  createRoute({ getParentRoute: () => root, path: "/audit", component: lazyRouteComponent(() => import("../audit/AuditPage"), "AuditPage") }),
  createRoute({ getParentRoute: () => root, path: "/people", component: lazyRouteComponent(() => import("../people/PeoplePage"), "PeoplePage") }),
  createRoute({ getParentRoute: () => root, path: "/account", component: lazyRouteComponent(() => import("../account/AccountPage"), "AccountPage") }),
  createRoute({ getParentRoute: () => root, path: "/heartbeats", component: lazyRouteComponent(() => import("../heartbeat/HeartbeatPage"), "HeartbeatPage") }),
  createRoute({ getParentRoute: () => root, path: "/anomalies", component: lazyRouteComponent(() => import("../anomaly/AnomalyPage"), "AnomalyPage") }),
  createRoute({ getParentRoute: () => root, path: "/explore", component: lazyRouteComponent(() => import("../explore/ExplorePage"), "ExplorePage") }),
  createRoute({ getParentRoute: () => root, path: "/analytics", component: lazyRouteComponent(() => import("../analytics/AnalyticsPage"), "AnalyticsPage") }),
  createRoute({ getParentRoute: () => root, path: "/tee", component: lazyRouteComponent(() => import("../tee/TeePage"), "TeePage") }),
  createRoute({ getParentRoute: () => root, path: "/integrations", component: lazyRouteComponent(() => import("../integration/pages"), "IntegrationListPage") }),
  createRoute({ getParentRoute: () => root, path: "/integrations/new", component: lazyRouteComponent(() => import("../integration/pages"), "NewIntegrationPage") }),
  createRoute({ getParentRoute: () => root, path: "/integrations/$name", component: lazyRouteComponent(() => import("../integration/pages"), "IntegrationPage") }),
  createRoute({ getParentRoute: () => root, path: "/experiments", component: lazyRouteComponent(() => import("../experiment/ExperimentListPage"), "ExperimentListPage") }),
  createRoute({ getParentRoute: () => root, path: "/experiments/$id", component: lazyRouteComponent(() => import("../experiment/ExperimentPage"), "ExperimentPage") }),
  createRoute({ getParentRoute: () => root, path: "/experiments/$id/traces", component: lazyRouteComponent(() => import("../trace/TraceListPage"), "TraceListPage") }),
  createRoute({ getParentRoute: () => root, path: "/traces/$id", component: lazyRouteComponent(() => import("../trace/TracePage"), "TracePage") }),
  createRoute({ getParentRoute: () => root, path: "/runs/$id", component: lazyRouteComponent(() => import("../experiment/RunPage"), "RunPage") }),
  createRoute({ getParentRoute: () => root, path: "/models", component: lazyRouteComponent(() => import("../model/ModelListPage"), "ModelListPage") }),
  createRoute({ getParentRoute: () => root, path: "/models/$name", component: lazyRouteComponent(() => import("../model/ModelPage"), "ModelPage") }),
  createRoute({ getParentRoute: () => root, path: "/dev/kit", component: lazyRouteComponent(() => import("../devkit/KitPage"), "KitPage") }),
] as const;

const tree = root.addChildren(routes);

export const makeRouter = (queries: QueryClient) =>
  createRouter({ routeTree: tree, context: { queries }, parseSearch, stringifySearch, defaultPreload: false, scrollRestoration: false });

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

export type { AnyRouter };
