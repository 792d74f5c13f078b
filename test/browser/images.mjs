// Takes pictures of every page of `fairlead demo` in light, dark and on a phone, to be looked at: node test/browser/images.mjs FOLDER
// Without a folder, those of docs/images.
import { mkdir } from "node:fs/promises";
import { api, eventually, get, openPage, startBrowser, startServer } from "./harness.mjs";

const docs = process.argv[2] === undefined;
const out = docs ? new URL("../../docs/images/", import.meta.url).pathname : `${process.argv[2]}/`;
const server = await startServer("demo");
const browser = await startBrowser();
try {
  await mkdir(out, { recursive: true });
  const big = await eventually("the bad deploy is an incident of 200 alerts", async () => (await get(server.url, "/incidents?state=open")).items.find((i) => i.alertCount >= 200), 90_000);
  await eventually("it has grown and spread", async () => Date.now() - Date.parse((await get(server.url, `/incidents/${big.id}`)).startedAt) > 45_000, 90_000);
  await fetch(`${server.url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '[{"labels":{"alertname":"DiskWillFill","instance":"db-1"},"startsAt":"2999-01-01T00:00:00Z"}]' });
  const send = (path, body, headers = {}) => fetch(server.url + path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
  const make = async (name, kind, more = {}) => (await (await send(`${api}/integrations`, { name, kind, ...more })).json()).key;
  for (const [name, kind] of [["prod-datadog", "datadog"], ["on-call", "pagerduty"], ["backup", "heartbeat"]]) await make(name, kind);
  const key = await make("shop-checks", "json", { mapper: { each: "body.checks", name: "item.check", state: 'item.code >= 2 ? "firing" : "resolved"', labels: { service: "lower(body.site)" } } });
  for (const code of [0, 2]) await send("/in/json/shop-checks", { site: "Cart", region: "eu-west-1", checks: [{ check: "http", code, note: "timeout after 30 s" }, { check: "tls", code: 0 }] }, { Authorization: `Bearer ${key}` });
  await send("/v2/enqueue", { routing_key: "R0UT1NG", event_action: "trigger", payload: { summary: "Queue grows", source: "mq-1", severity: "warning" } });
  const hours = (n) => new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000 + n * 3_600_000).toISOString();
  await send(`${api}/maintenance`, { title: "patch day", entities: ["service:cart"], startsAt: "2026-01-04T01:00:00Z", endsAt: "2026-01-04T03:00:00Z", rule: "FREQ=WEEKLY;BYDAY=SU", zone: "Europe/Berlin" });
  await send(`${api}/maintenance`, { title: "load test of search", matchers: ['service="search"'], startsAt: hours(-1), endsAt: hours(20) });
  const { items: alerts } = await get(server.url, "/alerts?limit=200");
  for (const { labels } of [...alerts.filter((a) => a.source === "prometheus").slice(0, 120), { labels: { alertname: "CertificateExpires", instance: "edge-3" } }]) await send("/in/am-told/today", { version: "4", groupKey: JSON.stringify(labels), status: "firing", receiver: "team-shop", alerts: [{ status: "firing", labels, annotations: {}, startsAt: new Date().toISOString(), endsAt: "0001-01-01T00:00:00Z" }] });
  await send(`${api}/silences`, { matchers: ['service="cart"', 'severity="info"'], startsAt: hours(-2), endsAt: hours(30), comment: "the new pods are loud while they warm up" });
  await send(`${api}/teams`, { name: "shop", description: "cart, checkout and payment" });
  await send(`${api}/users`, { name: "ann", display: "Ann Weber", email: "ann@example.org", grants: [{ role: "responder", teams: ["shop"] }] });
  await send(`${api}/users`, { name: "otto", display: "Otto Lang", grants: [{ role: "approver" }] });
  await send(`${api}/purges`, { olderThanDays: 365, reason: "the year is closed" });
  await send("/in/heartbeat/backup?interval=25h", {}, {});
  const more = docs ? {} : { overview: "/overview", silences: "/silences", silence: "/silences?pick=new", analytics: "/analytics", audit: "/audit", "audit-entry": "/audit?pick=3", health: "/health", approvals: "/approvals", people: "/people", person: "/people?pick=ann", teams: "/people?q=teams", account: "/account", heartbeats: "/heartbeats", deliveries: "/deliveries", "integration-new": "/integrations/new", integration: "/integrations/prod-datadog", "window-new": "/maintenance?pick=new", "incident-told": `/incidents/${big.id}?tab=told`, alert: `/alerts?alert=${alerts[0].id}`, nothing: "/no-such-page" };
  const pages = { ...more, incidents: "/", incident: `/incidents/${big.id}`, "incident-alerts": `/incidents/${big.id}?tab=alerts`, "incident-decisions": `/incidents/${big.id}?tab=decisions`, alerts: "/alerts", "dead-letters": "/dead-letters", integrations: "/integrations", mapper: "/integrations/shop-checks?tab=mapper", maintenance: "/maintenance", tee: "/tee", kit: "/dev/kit" };
  const looks = { light: { colorScheme: "light" }, dark: { colorScheme: "dark" }, ...(!docs && { phone: { colorScheme: "light", viewport: { width: 400, height: 800 } } }) };
  for (const [look, options] of Object.entries(looks)) {
    for (const [name, path] of Object.entries(pages)) {
      const page = await openPage(browser, server.url, path, { viewport: { width: 1280, height: 800 }, timezoneId: "UTC", ...options });
      if (name !== "kit") await page.locator("[role=status][aria-label^=Loading]").first().waitFor({ state: "detached" });
      await page.waitForTimeout(600);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (wide > 0) console.log(`${name} ${look} is ${wide} px too wide`);
      for (const complaint of page.complaints) console.log(`${name} ${look}: ${complaint}`);
      await page.screenshot({ path: `${out}${name}-${look}.png` });
      await page.context().close();
    }
  }
  const phone = await openPage(browser, server.url, `/incidents/${big.id}`, { viewport: { width: 400, height: 800 } });
  await phone.waitForTimeout(800);
  await phone.screenshot({ path: `${out}incident-phone.png` });
} finally {
  await browser.close();
  await server.stop();
}
