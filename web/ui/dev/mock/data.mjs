// Makes alerts and incidents that look like a small web shop after a bad deploy.

/** @param {number} seed */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const severities = ["none", "info", "warning", "error", "critical"];
export const services = ["checkout", "payment", "cart", "catalogue", "frontend", "orders", "shipping", "user", "search", "ledger", "queue", "session", "recommend", "mail", "gateway"];

const rules = [
  ["HighErrorRate", "critical", (s) => `${s}: 12.4 % of requests answered with 5xx`],
  ["LatencyP99High", "error", (s) => `${s}: p99 latency 2.31 s, usual 180 ms`],
  ["PodCrashLooping", "error", (s) => `${s}: restarted 6 times in 10 min`],
  ["QueueDepthHigh", "warning", (s) => `${s}: 18,204 messages waiting`],
  ["CPUThrottled", "warning", (s) => `${s}: throttled 43 % of the time`],
  ["ConnectionPoolExhausted", "critical", (s) => `${s}: 0 of 50 connections free`],
  ["DiskWillFill", "info", (s) => `${s}: disk full in 38 h at this rate`],
];
const dispositions = ["told", "told", "told", "told", "told", "held", "told", "flapping", "told", "silenced", "told", "inhibited"];

const hex = (rnd, n) => Array.from({ length: n }, () => Math.floor(rnd() * 16).toString(16)).join("");
const iso = (ms) => new Date(ms).toISOString();

/** One alert of a service that started at ms. */
export function makeAlert(rnd, service, startMs, now, incident, firing) {
  const [name, severity, text] = rules[Math.floor(rnd() * rules.length)];
  const pod = `${service}-${hex(rnd, 5)}`;
  const end = firing ? undefined : Math.min(now, startMs + 60_000 + rnd() * 900_000);
  const disposition = dispositions[Math.floor(rnd() * dispositions.length)];
  const fingerprint = hex(rnd, 16);
  return {
    id: `a${fingerprint.slice(0, 12)}`, fingerprint, name, severity, state: firing ? "firing" : "resolved",
    labels: { alertname: name, service, pod, namespace: "shop", severity, job: `shop/${service}` },
    annotations: { summary: text(service), runbook_url: `https://runbooks.example/${name}` },
    generatorURL: `http://prometheus.example:9090/graph?g0.expr=${name}`, source: "prometheus",
    startsAt: iso(startMs), receivedAt: iso(startMs + 4_000), lastReceivedAt: iso(end ?? now), ...(end ? { endsAt: iso(end) } : {}),
    reports: 1 + Math.floor(rnd() * 14), flaps: disposition === "flapping" ? 5 : 0, incident, disposition,
    ...(disposition === "silenced" ? { silencedBy: ["8f2c1d"] } : {}),
    ...(disposition === "inhibited" ? { inhibitedBy: ["a000000000001"] } : {}),
    entity: { kind: "service", name: service },
    why: [
      { name: "time", weight: 1.8, detail: "Started 41 s after the first alert of the incident; such gaps are 6 times as likely inside one incident." },
      { name: "map", weight: 1.2, detail: `${service} is called by checkout, one step away.` },
      { name: "labels", weight: 0.6, detail: "Shares namespace=shop with 280 of 311 alerts." },
      { name: "text", weight: -0.3, detail: "Its words are unlike those of the other alerts." },
    ],
  };
}

/** An incident summed up from its alerts. */
export function summarise(id, alerts, fields) {
  const starts = alerts.map((a) => Date.parse(a.startsAt));
  const lasts = alerts.map((a) => Date.parse(a.lastReceivedAt));
  const from = Math.min(...starts), to = Math.max(...lasts, from + 1);
  const spark = Array(30).fill(0);
  for (const s of starts) spark[Math.min(29, Math.floor(((s - from) / (to - from)) * 30))]++;
  const byEntity = new Map();
  for (const a of alerts) byEntity.set(a.entity.name, (byEntity.get(a.entity.name) ?? 0) + 1);
  const entities = [...byEntity].sort((a, b) => b[1] - a[1]).slice(0, 20).map(([name, n]) => ({ kind: "service", name, alerts: n }));
  const count = (d) => alerts.filter((a) => a.disposition === d).length;
  const worst = severities[Math.max(0, ...alerts.map((a) => severities.indexOf(a.severity)))];
  return {
    id, title: `${entities[0]?.name ?? "nothing"}: ${alerts[0]?.annotations.summary.split(": ")[1] ?? "no alert"}`,
    state: "open", severity: worst, startedAt: iso(from), shownAt: iso(from + 30_000), lastSeenAt: iso(to),
    alertCount: alerts.length, firingCount: alerts.filter((a) => a.state === "firing").length,
    reports: alerts.reduce((n, a) => n + a.reports, 0), heldBack: count("held"), silenced: count("silenced"),
    inhibited: count("inhibited"), flapping: count("flapping"), entities, services: entities.map((e) => e.name),
    spark, sparkFrom: iso(from), sparkTo: iso(to), ...fields,
  };
}
