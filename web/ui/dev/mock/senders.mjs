// The parts of the mock about senders and receivers: integrations, deliveries, maintenance and the tee report.
import { Conflict, Unknown } from "./world.mjs";

const kinds = ["prometheus", "alertmanager", "am-events", "am-told", "grafana", "pagerduty", "opsgenie", "oncall", "sns", "datadog", "zabbix", "nagios", "cloudevents", "k8s-events", "heartbeat", "json"];
const iso = (ms) => new Date(ms).toISOString();
const ago = (ms) => iso(Date.now() - ms);
const made = new WeakMap(); // what there is, by world

const capture = (i) => ({
  at: ago(i * 61_000), headers: { "Content-Type": "application/json", "User-Agent": "odd-tool/3.2" }, truncated: false, status: i === 2 ? 400 : 202, outcome: i === 2 ? "body: mapper.each: gives nothing, want a list." : "accepted", alerts: i === 2 ? 0 : 2,
  body: JSON.stringify({ site: "Shop", region: { name: "eu-west-1", zone: 3 }, checks: [{ check: "http", code: 2, note: "timeout after 30 s" }, { check: "tls", code: 0 }] }),
});

function integration(name, kind, n) {
  return {
    name, kind, keys: [{ hint: "ab12", createdAt: ago(9e9) }], resolveTimeout: "", mapper: {}, forward: "", observe: false, pinned: "", createdAt: ago(9e9), createdBy: "loopback", version: 1,
    requests: n * 37, refused: n % 5 === 3 ? 2 : 0, alerts: n * 40, rejected: 0, lastError: n % 5 === 3 ? "payload.severity: \"bad\": send critical, error, warning or info" : "", ...(n > 0 ? { lastAt: ago(n * 4_000) } : {}),
    captures: n > 0 ? Array.from({ length: Math.min(10, n + 2) }, (_, i) => capture(i)) : [],
  };
}

function state(world) {
  const found = made.get(world);
  if (found) return found;
  const count = world.incidents.size === 0 ? 0 : world.incidents.size > 100 ? 600 : 9;
  const integrations = new Map(Array.from({ length: count }, (_, i) => { const kind = kinds[(i * 7) % kinds.length]; const name = `${kind}-${i}`; return [name, integration(name, kind, i)]; }));
  const incidents = [...world.incidents.values()];
  const states = ["sent", "sent", "sent", "pending", "muted", "failed"];
  const deliveries = Array.from({ length: count * 12 }, (_, i) => ({ id: `N${count * 12 - i}`, at: ago(i * 40_000), key: `k${i}`, receiver: ["team-shop", "team-payments", "pager"][i % 3], integration: "webhook[0]", incident: incidents[i % incidents.length].id, why: ["first", "new alerts", "repeat"][i % 3], alertCount: 1 + (i % 30), state: states[i % 6], attempts: i % 6 === 3 ? 4 : 1, reason: { pending: "connection refused", failed: "unexpected status code 404", muted: "Muted by mute_time_intervals: weekends." }[states[i % 6]] ?? "" }));
  const at = (h) => iso(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + h * 3_600_000);
  const window = (i) => ({ id: `W${i}`, title: ["patch day", "load test of search", "nightly backup of the order database"][i % 3], matchers: i % 2 ? ["service=\"search\""] : [], entities: i % 2 ? [] : ["service:cart"], startsAt: at(i * 5 - 2), endsAt: at(i * 5 + 2), rule: ["FREQ=WEEKLY;BYDAY=SU", "", "FREQ=DAILY"][i % 3], zone: "Europe/Berlin", comment: "", createdBy: "loopback", updatedAt: ago(9e6), version: 1, open: i === 0, next: Array.from({ length: i % 3 === 1 ? 1 : 10 }, (_, n) => ({ start: at(i * 5 - 2 + n * 24), end: at(i * 5 + 2 + n * 24) })) });
  const fresh = { integrations, deliveries, windows: Array.from({ length: Math.min(count, 60) }, (_, i) => window(i)), incidents };
  made.set(world, fresh);
  return fresh;
}

const brief = (i) => ({ ...i, captures: undefined });

function tee({ incidents }) {
  const verdicts = ["missed", "later", "extra", "same", "same", "same"];
  const list = incidents.slice(0, 400).map((i, n) => ({ incident: i.id, title: i.title, severity: i.severity, verdict: verdicts[n % 6], notifications: n % 6 === 2 ? 0 : i.alertCount, alerts: i.alertCount, told: ["team-shop"], receivers: n % 6 === 0 ? [] : ["team-shop"], toldAt: i.startedAt, ...(n % 6 === 0 ? {} : { shownAt: iso(Date.parse(i.startedAt) + 30_000) }), why: n % 6 === 0 ? "It was silenced." : "" })).sort((a, b) => verdicts.indexOf(a.verdict) - verdicts.indexOf(b.verdict));
  const count = (v) => list.filter((c) => c.verdict === v).length;
  const notifications = list.reduce((n, c) => n + c.notifications, 0), pages = list.length - count("missed");
  return { from: ago(604_800_000), to: ago(0), notifications, resolved: 12, byReceiver: { "team-shop": notifications }, pages, muted: 4, avoided: list.reduce((n, c) => n + (c.shownAt && c.notifications > 0 ? c.notifications - 1 : 0), 0), same: count("same"), later: count("later"), missed: count("missed"), extra: count("extra"), incidents: list, integrations: list.length ? [{ name: "today", kind: "am-told", forward: "", observe: false, lastAt: ago(5_000) }] : [] };
}

/** Answers what is about senders or receivers; undefined for the rest. */
export async function senders(req, parts, query, world, body) {
  const s = state(world);
  const one = (name) => { const i = s.integrations.get(name); if (!i) throw new Unknown(`There is no integration ${name}.`); return i; };
  switch (`${req.method} ${parts[0]} ${parts.length} ${parts[2] ?? ""}`.trim()) {
    case "GET integrations 1": return { body: { items: [...s.integrations.values()].map(brief), kinds, mapped: ["alertmanager", "cloudevents", "datadog", "grafana", "json", "k8s-events", "nagios", "oncall", "sns", "zabbix"], signed: ["grafana", "json"] } };
    case "POST integrations 1": { const b = await body(req); const i = integration(b.name, b.kind, 0); s.integrations.set(b.name, i); return { body: { integration: brief(i), key: "fl_mockmockmockmockmock" } }; }
    case "GET integrations 2": return { body: one(parts[1]) };
    case "PUT integrations 2": {
      const i = one(parts[1]), version = Number(req.headers["if-match"] ?? 0);
      if (version && version !== i.version) throw new Conflict(`integration "${i.name}" was changed meanwhile: read it again.`);
      Object.assign(i, await body(req), { version: i.version + 1 });
      return { body: brief(i) };
    }
    case "DELETE integrations 2": { const i = one(parts[1]); s.integrations.delete(i.name); return { body: brief(i) }; }
    case "POST integrations 3 keys": { const i = one(parts[1]); for (const k of i.keys) k.expiresAt = iso(Date.now() + 86_400_000); i.keys.push({ hint: "cd34", createdAt: ago(0) }); return { body: { integration: brief(i), key: "fl_mockmockmockmockcd34" } }; }
    case "POST integrations 3 preview": return { body: { error: "", alerts: [{ identity: "13636a96da2a6de7", name: "http", state: "firing", severity: "none", labels: { alertname: "http", service: "shop" }, annotations: {}, link: "", startsAt: ago(0) }] } };
    case "GET deliveries 1": { const items = s.deliveries.filter((d) => ["state", "receiver", "incident"].every((k) => !query.get(k) || query.get(k) === d[k])), from = Number(query.get("cursor") || 0); return { body: { items: items.slice(from, from + 200), next: from + 200 < items.length ? String(from + 200) : "" } }; }
    case "GET maintenance 1": return { body: { items: s.windows } };
    case "POST maintenance 2": { const b = await body(req); return { body: { ...b, id: "", open: false, next: [{ start: b.startsAt, end: b.endsAt }] } }; }
    case "POST maintenance 1": { const b = await body(req); const w = { matchers: [], entities: [], rule: "", zone: "UTC", comment: "", ...b, id: `W${s.windows.length + 1}`, createdBy: "loopback", updatedAt: ago(0), version: 1, open: false, next: [{ start: b.startsAt, end: b.endsAt }] }; s.windows.push(w); return { body: w }; }
    case "DELETE maintenance 2": s.windows = s.windows.filter((w) => w.id !== parts[1]); return { body: {} };
    case "GET silences 2": return { body: { items: s.windows.length ? [{ id: "8f2c1d", matchers: '{service="ledger"}', createdBy: "kim", comment: "until the migration is done", startsAt: ago(9e8), endsAt: iso(Date.now() + 9e9), muted: 4, reason: "It has hidden firing alerts for 10 days." }] : [] } };
    case "GET tee 2": return { body: tee(s) };
  }
  return undefined;
}
