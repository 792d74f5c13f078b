// What to paste into each sender so that it sends here, and one line that plays the sender, to see that it arrives.

export interface Place {
  /** Where this Fairlead is reached: scheme, host and port. */
  origin: string;
  /** The integration's name, and its key or what stands for it. */
  name: string;
  key: string;
  /** What a sender signs with that shows no key. */
  signing: string;
}

export interface Step {
  caption: string;
  lines: string;
}

export interface Guide {
  steps: Step[];
  /** A command that sends one harmless alert as the sender would. */
  test: string;
  note?: string;
  /** The other way, for senders that sign. */
  signed?: Step;
}

type Write = (place: Place & { url: string; host: string; scheme: string }) => Guide;

const post = (url: string, headers: readonly string[], body: unknown): string => [
  `curl -sS -X POST '${url}'`, ...headers.map((h) => `-H '${h}'`), "-H 'Content-Type: application/json'", `-d '${JSON.stringify(body)}'`,
].join(" \\\n  ");

const bearer = (key: string): string => `Authorization: Bearer ${key}`;

const group = (key: string, extra: Record<string, unknown> = {}) => ({
  version: "4", groupKey: key, status: "firing", receiver: "fairlead", groupLabels: {}, commonLabels: {}, commonAnnotations: {}, externalURL: "http://alertmanager.example:9093",
  alerts: [{ status: "firing", labels: { alertname: "FairleadTest", severity: "info" }, annotations: { summary: "A test of the way to Fairlead" }, startsAt: "2026-01-01T00:00:00Z", endsAt: "0001-01-01T00:00:00Z", generatorURL: "", fingerprint: "7a1b2c3d4e5f6071" }],
  ...extra,
});

/** A route that tells Fairlead besides everybody else, and its receiver. */
const beside = (name: string, url: string, key: string): string =>
  `route:\n  routes:\n    - receiver: ${name}\n      continue: true\n    # your routes as they are\n\nreceivers:\n  - name: ${name}\n    webhook_configs:\n      - url: ${url}\n        send_resolved: true\n        http_config:\n          authorization:\n            credentials: ${key}`;

const macros = ["NOTIFICATIONTYPE", "HOSTNAME", "HOSTADDRESS", "HOSTSTATE", "HOSTOUTPUT", "HOSTPROBLEMID", "LASTHOSTPROBLEMID", "SERVICEDESC", "SERVICESTATE", "SERVICEOUTPUT", "SERVICEPROBLEMID", "LASTSERVICEPROBLEMID", "NOTIFICATIONAUTHOR", "NOTIFICATIONCOMMENT", "TIMET"];

const nagiosCommand = (name: string, url: string, key: string): string =>
  `define command {\n  command_name  ${name}\n  command_line  /usr/bin/curl -fsS -m 10 -H '${bearer(key)}' ${macros.filter((m) => name.includes("service") || !m.includes("SERVICE")).map((m) => `--data-urlencode '${m}=$${m}$'`).join(" ")} ${url}\n}`;

const datadog = {
  alert_id: "$ALERT_ID", cycle_key: "$ALERT_CYCLE_KEY", aggreg_key: "$AGGREG_KEY", transition: "$ALERT_TRANSITION", type: "$ALERT_TYPE", priority: "$ALERT_PRIORITY", scope: "$ALERT_SCOPE",
  title: "$EVENT_TITLE", body: "$EVENT_MSG", tags: "$TAGS", hostname: "$HOSTNAME", link: "$LINK", date: "$DATE", org_id: "$ORG_ID",
};

const guides: Record<string, Write> = {
  prometheus: ({ host, scheme, name, key, origin }) => ({
    steps: [{
      caption: "In prometheus.yml; the Alertmanager that stands there may stay beside it. Then reload Prometheus.",
      lines: `alerting:\n  alertmanagers:\n    - scheme: ${scheme}\n      path_prefix: /in/prometheus/${name}\n      authorization:\n        credentials: ${key}\n      static_configs:\n        - targets: ["${host}"]`,
    }],
    test: post(`${origin}/in/prometheus/${name}/api/v2/alerts`, [bearer(key)], [{ labels: { alertname: "FairleadTest", severity: "info" }, annotations: { summary: "A test of the way to Fairlead" } }]),
  }),
  alertmanager: ({ url, key }) => ({
    steps: [{ caption: "In alertmanager.yml: a receiver, and a route that continues, so that everybody is told as before.", lines: beside("fairlead", url, key) }],
    test: post(url, [bearer(key)], group('{}:{alertname="FairleadTest"}')),
  }),
  "am-told": ({ url, key }) => ({
    steps: [{ caption: "In alertmanager.yml: a receiver that hears of everything that the others are told of, by a first route that continues.", lines: beside("fairlead-witness", url, key) }],
    test: post(url, [bearer(key)], group('{}:{alertname="FairleadTest"}')),
    note: "Only for the tee report: what comes through counts as told by today’s tool and becomes no alert here.",
  }),
  "am-events": ({ url, key }) => ({
    steps: [
      { caption: "In alertmanager.yml:", lines: `event_recorder:\n  webhook_outputs:\n    - url: ${url}\n      batch: true\n      http_config:\n        authorization:\n          credentials: ${key}` },
      { caption: "The recorder is behind a flag; start Alertmanager with it:", lines: "alertmanager --enable-feature=event-recorder" },
    ],
    test: post(url, [bearer(key)], [{ "@timestamp": "2026-01-01T00:00:00Z", instance: "test", data: { alertCreated: { alert: { labels: { alertname: "FairleadTest" } } } } }]),
  }),
  grafana: ({ url, key, signing }) => ({
    steps: [{
      caption: "A file in provisioning/alerting, or the same by hand: Alerting, Contact points, integration Webhook. Then send the default policy there too.",
      lines: `apiVersion: 1\ncontactPoints:\n  - orgId: 1\n    name: Fairlead\n    receivers:\n      - uid: fairlead\n        type: webhook\n        settings:\n          url: ${url}\n          httpMethod: POST\n          authorization_scheme: Bearer\n          authorization_credentials: ${key}`,
    }],
    test: post(url, [bearer(key)], group("test", { version: "1", orgId: 1, title: "[FIRING:1] FairleadTest", state: "alerting", message: "A test of the way to Fairlead" })),
    signed: {
      caption: "Or without the key on the way: let Grafana sign. In the contact point’s HMAC signature, instead of the authorization; an old request is then refused.",
      lines: `Secret            ${signing}\nHeader            X-Grafana-Alerting-Signature\nTimestamp header  X-Grafana-Alerting-Timestamp`,
    },
  }),
  pagerduty: ({ origin, key }) => ({
    steps: [
      { caption: "Wherever events.pagerduty.com stands, put this address; the routing key stays in the body:", lines: `${origin}/v2/enqueue` },
      { caption: "In alertmanager.yml, for instance:", lines: `receivers:\n  - name: on-call\n    pagerduty_configs:\n      - url: ${origin}/v2/enqueue\n        routing_key: ${key}` },
    ],
    test: post(`${origin}/v2/enqueue`, [], { routing_key: key, event_action: "trigger", dedup_key: "fairlead-test", payload: { summary: "A test of the way to Fairlead", source: "test", severity: "info" } }),
  }),
  opsgenie: ({ origin, key }) => ({
    steps: [
      { caption: "Wherever api.opsgenie.com stands, put this address; the key goes where the GenieKey goes:", lines: `${origin}/\nAuthorization: GenieKey ${key}` },
      { caption: "In alertmanager.yml, for instance:", lines: `receivers:\n  - name: on-call\n    opsgenie_configs:\n      - api_url: ${origin}/\n        api_key: ${key}` },
    ],
    test: post(`${origin}/v2/alerts`, [`Authorization: GenieKey ${key}`], { message: "A test of the way to Fairlead", alias: "fairlead-test", priority: "P5" }),
  }),
  oncall: ({ origin, key }) => ({
    steps: [{
      caption: "In each sender, change only the host of the integration's URL; the path stays. By type:",
      lines: ["alertmanager", "grafana_alerting", "webhook", "formatted_webhook", "zabbix", "amazon_sns"].map((type) => `${origin}/integrations/v1/${type}/${key}/`).join("\n"),
    }],
    test: post(`${origin}/integrations/v1/formatted_webhook/${key}/`, [], { alert_uid: "fairlead-test", title: "A test of the way to Fairlead", state: "alerting", message: "Nothing is wrong." }),
  }),
  sns: ({ url }) => ({
    steps: [{
      caption: "Subscribe this address to the topic of your alarms. Fairlead confirms it by itself and then takes only this topic.",
      lines: `aws sns subscribe --protocol https \\\n  --topic-arn "$TOPIC_ARN" \\\n  --notification-endpoint ${url}`,
    }],
    test: `aws sns publish --topic-arn "$TOPIC_ARN" \\\n  --message '{"AlarmName":"FairleadTest","AlarmArn":"arn:aws:cloudwatch:eu-west-1:000000000000:alarm:FairleadTest","NewStateValue":"ALARM","NewStateReason":"A test"}'`,
    note: "SNS signs what it sends, so there is no key. It needs an address that AWS can reach.",
  }),
  datadog: ({ url, key }) => ({
    steps: [
      { caption: "Integrations, Webhooks, New. Name: fairlead. URL:", lines: url },
      { caption: "Payload:", lines: JSON.stringify(datadog, null, 2) },
      { caption: "Custom headers:", lines: JSON.stringify({ Authorization: `Bearer ${key}` }) },
      { caption: "In the message of each monitor:", lines: "@webhook-fairlead" },
    ],
    test: post(url, [bearer(key)], { ...datadog, alert_id: "1", cycle_key: "fairlead-test", aggreg_key: "fairlead-test", transition: "Triggered", type: "info", priority: "P5", scope: "env:test", title: "A test of the way to Fairlead", body: "Nothing is wrong.", tags: "env:test", hostname: "test", link: "https://app.datadoghq.com", date: "1767225600000", org_id: "1" }),
  }),
  "remote-write": ({ url, key }) => ({
    steps: [{ caption: "In prometheus.yml; what stands below remote_write may stay. Then reload Prometheus.", lines: `remote_write:\n  - url: ${url}\n    authorization:\n      credentials: ${key}` }],
    test: `printf '\\0' | curl -sS -X POST '${url}' \\\n  -H '${bearer(key)}' \\\n  -H 'Content-Type: application/x-protobuf' -H 'Content-Encoding: snappy' \\\n  --data-binary @-`,
    note: "The test sends a request without samples. On this machine no key is needed: http://127.0.0.1:8460/api/v1/write.",
  }),
  otlp: ({ url, key, host, name }) => ({
    steps: [
      { caption: "For an SDK, in its environment:", lines: `OTEL_EXPORTER_OTLP_ENDPOINT=${url}\nOTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${key}"\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf` },
      { caption: "For a Collector:", lines: `exporters:\n  otlphttp/fairlead:\n    endpoint: ${url}\n    headers:\n      authorization: Bearer ${key}\n\nservice:\n  pipelines:\n    metrics:\n      exporters: [otlphttp/fairlead]\n    logs:\n      exporters: [otlphttp/fairlead]\n    traces:\n      exporters: [otlphttp/fairlead]` },
    ],
    test: `curl -sS -X POST '${url}/v1/metrics' \\\n  -H '${bearer(key)}' \\\n  -H 'Content-Type: application/json' \\\n  -d '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"fairlead.test","gauge":{"dataPoints":[{"asDouble":1,"timeUnixNano":"'$(date +%s)'000000000"}]}}]}]}]}'`,
    note: `gRPC is taken at the same port (${host}) and at 4317; it belongs to the integration otlp then, not to ${name}.`,
  }),
  zabbix: ({ url, key }) => ({
    steps: [
      { caption: "Alerts, Media types, Import: the file examples/zabbix/media_fairlead.yaml of this release. In its parameters:", lines: `URL  ${url}\nKey  ${key}` },
      { caption: "Then give a user this media, and an action that tells the user of problems, recoveries and updates.", lines: "Users → fairlead → Media → Fairlead\nAlerts → Actions → Trigger actions → Send to user fairlead" },
    ],
    test: post(url, [bearer(key)], { event_id: "1", trigger_id: "1", event_value: "1", event_status: "PROBLEM", event_severity: "Information", event_name: "A test of the way to Fairlead", host: "test" }),
  }),
  nagios: ({ url, key }) => ({
    steps: [
      { caption: "Two commands:", lines: `${nagiosCommand("notify-host-by-fairlead", url, key)}\n\n${nagiosCommand("notify-service-by-fairlead", url, key)}` },
      { caption: "And a contact that uses them; add it to your contact groups.", lines: "define contact {\n  contact_name                   fairlead\n  use                            generic-contact\n  host_notification_commands     notify-host-by-fairlead\n  service_notification_commands  notify-service-by-fairlead\n}" },
    ],
    test: `curl -sS '${url}' \\\n  -H '${bearer(key)}' \\\n  -d 'NOTIFICATIONTYPE=PROBLEM' -d 'HOSTNAME=test' -d 'SERVICEDESC=fairlead' -d 'SERVICESTATE=WARNING' -d 'SERVICEPROBLEMID=1' -d 'SERVICEOUTPUT=A test'`,
  }),
  cloudevents: ({ url, key }) => ({
    steps: [{ caption: "Give the sender this address and header; where it can set no header, the token in the address does:", lines: `${url}\nAuthorization: Bearer ${key}\n\n${url}?access_token=${key}` }],
    test: post(url, [bearer(key), "ce-specversion: 1.0", "ce-id: fairlead-test", "ce-source: /test", "ce-type: com.example.alert.triggered"], { title: "A test of the way to Fairlead", status: "firing", severity: "info" }),
  }),
  "k8s-events": ({ url, key }) => ({
    steps: [{
      caption: "In the configuration of kubernetes-event-exporter:",
      lines: `route:\n  routes:\n    - match:\n        - type: Warning\n          receiver: fairlead\nreceivers:\n  - name: fairlead\n    webhook:\n      endpoint: ${url}\n      headers:\n        Authorization: Bearer ${key}`,
    }],
    test: post(url, [bearer(key)], { apiVersion: "events.k8s.io/v1", kind: "Event", metadata: { name: "test.1", namespace: "default", uid: "fairlead-test" }, regarding: { kind: "Pod", namespace: "default", name: "test-5c9d8-x1" }, reason: "BackOff", note: "A test of the way to Fairlead", type: "Warning" }),
  }),
  heartbeat: ({ url, key }) => ({
    steps: [
      { caption: "At the end of the job; the interval is how long it may be silent:", lines: `curl -fsS -m 10 -H '${bearer(key)}' '${url}?interval=25h'` },
      { caption: "In a crontab, for instance:", lines: `0 3 * * *  /usr/local/bin/backup && curl -fsS -m 10 -H '${bearer(key)}' '${url}?interval=25h'` },
    ],
    test: `curl -sS -X POST '${url}' \\\n  -H '${bearer(key)}'`,
    note: "After the first report, a silence longer than the interval raises an alert, which ends with the next report.",
  }),
  github: ({ url, signing }) => ({
    steps: [{ caption: "Repository or organisation, Settings, Webhooks, Add. Events: deployments, deployment statuses, releases, workflow runs.", lines: `Payload URL   ${url}\nContent type  application/json\nSecret        ${signing}` }],
    test: `body='{"zen":"A test of the way to Fairlead"}'\ncurl -sS -X POST '${url}' \\\n  -H 'Content-Type: application/json' -H 'X-GitHub-Event: ping' \\\n  -H "X-Hub-Signature-256: sha256=$(printf %s "$body" | openssl dgst -sha256 -hmac '${signing}' -r | cut -d' ' -f1)" \\\n  -d "$body"`,
  }),
  gitlab: ({ url, key }) => ({
    steps: [{ caption: "Project or group, Settings, Webhooks, Add. Trigger: deployment, pipeline and release events.", lines: `URL           ${url}\nSecret token  ${key}` }],
    test: post(url, [`X-Gitlab-Token: ${key}`, "X-Gitlab-Event: Deployment Hook"], { object_kind: "deployment", status: "success", deployment_id: 1, environment: "test", project: { id: 1, path_with_namespace: "test/fairlead" } }),
  }),
  argocd: ({ url, key }) => ({
    steps: [{ caption: "In argocd-notifications-cm; the triggers and templates are in examples/argocd of this release.", lines: `data:\n  service.webhook.fairlead: |\n    url: ${url}\n    headers:\n      - name: Authorization\n        value: Bearer ${key}` }],
    test: post(url, [bearer(key)], { app: "test", namespace: "argocd", phase: "Succeeded", revision: "0000000", health: "Healthy", sync: "Synced" }),
  }),
  flux: ({ url, key }) => ({
    steps: [{ caption: "A secret and a provider; then point your Alert objects at the provider.", lines: `apiVersion: v1\nkind: Secret\nmetadata:\n  name: fairlead\nstringData:\n  headers: |\n    Authorization: Bearer ${key}\n---\napiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Provider\nmetadata:\n  name: fairlead\nspec:\n  type: generic\n  address: ${url}\n  secretRef:\n    name: fairlead` }],
    test: post(url, [bearer(key)], { involvedObject: { kind: "Kustomization", namespace: "flux-system", name: "test" }, severity: "info", timestamp: "2026-01-01T00:00:00Z", message: "A test of the way to Fairlead", reason: "ReconciliationSucceeded", metadata: { revision: "main@sha1:0000000" }, reportingController: "kustomize-controller" }),
  }),
  json: ({ url, key, signing }) => ({
    steps: [{ caption: "Let the tool post its JSON here, with this header. Common names (title, status, severity, host, id) are read without a mapper.", lines: `POST ${url}\nAuthorization: Bearer ${key}` }],
    test: post(url, [bearer(key)], { id: "fairlead-test", title: "A test of the way to Fairlead", status: "firing", severity: "info", host: "test" }),
    signed: {
      caption: "Or sign the body instead of showing the key; X-Hub-Signature-256: sha256=… does, too.",
      lines: `body='{"id":"fairlead-test","title":"A signed test","status":"firing"}'\ncurl -sS -X POST '${url}' \\\n  -H 'Content-Type: application/json' \\\n  -H "X-Signature: $(printf %s "$body" | openssl dgst -sha256 -hmac '${signing}' -r | cut -d' ' -f1)" \\\n  -d "$body"`,
    },
  }),
};

/** How to point a sender of the kind here; kinds that this page does not know get what any of them can do. */
export function guideOf(kind: string, place: Place): Guide {
  const { host, protocol } = new URL(place.origin);
  const write = guides[kind] ?? guides.json;
  if (!write) throw new Error("the guide of generic JSON is missing");
  return write({ ...place, host, scheme: protocol.replace(":", ""), url: `${place.origin}/in/${kind}/${place.name}` });
}

/** The kinds that have a guide of their own. */
export const guided: readonly string[] = Object.keys(guides);
