// The senders as people know them. The server says which kinds there are and whose payloads a mapper may read; this says
// what they are called and how they ask for a key.

import { useQuery } from "@tanstack/react-query";
import { integrationsQuery } from "../api/queries";

export interface Sender {
  kind: string;
  title: string;
  /** What it sends and how, in one line. */
  what: string;
  /** What the sender calls a key that it may have already. */
  ownKey?: string;
  /** It proves itself by a signature and has no key. */
  signed?: boolean;
}

export const senders: readonly Sender[] = [
  { kind: "prometheus", title: "Prometheus", what: "Alerts as it sends them to an Alertmanager." },
  { kind: "remote-write", title: "Prometheus remote write", what: "Samples of a Prometheus, Grafana Alloy, vmagent or Collector." },
  { kind: "otlp", title: "OpenTelemetry", what: "Metrics, logs and traces of an SDK or a Collector, by OTLP over HTTP or gRPC." },
  { kind: "alertmanager", title: "Alertmanager webhook", what: "Notifications of an Alertmanager that stays where it is." },
  { kind: "am-events", title: "Alertmanager event recorder", what: "What an Alertmanager decided, to compare with. Version 0.33 and later." },
  { kind: "am-told", title: "Alertmanager as witness", what: "Whom an Alertmanager without event recorder told, to compare with. Makes no alerts." },
  { kind: "grafana", title: "Grafana", what: "A webhook contact point of Grafana alerting." },
  { kind: "pagerduty", title: "PagerDuty", what: "Anything that sends Events API v2 or the older create_event.", ownKey: "Routing key" },
  { kind: "opsgenie", title: "Opsgenie", what: "Anything that speaks Opsgenie's alert API with a GenieKey.", ownKey: "GenieKey" },
  { kind: "oncall", title: "Grafana OnCall", what: "Anything that sends to an OnCall integration's URL.", ownKey: "Key in the integration's URL" },
  { kind: "sns", title: "CloudWatch by SNS", what: "Alarms and EventBridge events of AWS, by an SNS topic.", signed: true },
  { kind: "datadog", title: "Datadog", what: "A webhook of Datadog monitors." },
  { kind: "zabbix", title: "Zabbix", what: "A media type that we ship." },
  { kind: "nagios", title: "Nagios, Icinga, Checkmk", what: "A notification command." },
  { kind: "cloudevents", title: "CloudEvents", what: "CloudEvents 1.0 over HTTP: binary, structured or batch. CDEvents too." },
  { kind: "k8s-events", title: "Kubernetes events", what: "Warnings of a cluster, from an event exporter." },
  { kind: "heartbeat", title: "Heartbeat", what: "A job that reports that it lives; silence raises an alert." },
  { kind: "github", title: "GitHub", what: "Deployments, releases and workflow runs." },
  { kind: "gitlab", title: "GitLab", what: "Deployments, pipelines and releases." },
  { kind: "argocd", title: "Argo CD", what: "Syncs and health, by its notifications." },
  { kind: "flux", title: "Flux", what: "Reconciliations, by its notification controller." },
  { kind: "json", title: "Generic JSON", what: "Any tool that can post JSON; a mapper reads it." },
];

/** The sender of a kind; one that this page does not know goes by its bare name. */
export const senderOf = (kind: string): Sender => senders.find((s) => s.kind === kind) ?? { kind, title: kind, what: "Posts JSON." };

/** The senders of the kinds that the server names, each once, in the order above, unknown ones last. */
export function offered(kinds: readonly string[]): Sender[] {
  const known = senders.filter((s) => kinds.includes(s.kind));
  return [...known, ...[...new Set(kinds)].filter((kind) => !known.some((s) => s.kind === kind)).sort().map(senderOf)];
}

/** Whether a mapper may read what comes through an integration of the kind; false until the server has said so. */
export function useMaps(kind: string): boolean {
  return useQuery(integrationsQuery).data?.mapped.includes(kind) ?? false;
}
