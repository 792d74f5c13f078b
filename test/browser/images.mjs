// Takes the pictures of docs/images from `fairlead demo`, each page in light and dark. node test/browser/images.mjs
import { mkdir } from "node:fs/promises";
import { api, eventually, get, openPage, startBrowser, startServer } from "./harness.mjs";

const out = new URL("../../docs/images/", import.meta.url).pathname;
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
  const pages = { incidents: "/", incident: `/incidents/${big.id}`, "incident-alerts": `/incidents/${big.id}?tab=alerts`, "incident-decisions": `/incidents/${big.id}?tab=decisions`, alerts: "/alerts", "dead-letters": "/dead-letters", integrations: "/integrations", mapper: "/integrations/shop-checks?tab=mapper", maintenance: "/maintenance", tee: "/tee", kit: "/dev/kit" };
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, path] of Object.entries(pages)) {
      const page = await openPage(browser, server.url, path, { colorScheme, viewport: { width: 1280, height: 800 }, timezoneId: "UTC" });
      if (name !== "kit") await page.locator("[role=status][aria-label^=Loading]").first().waitFor({ state: "detached" });
      await page.waitForTimeout(600);
      await page.screenshot({ path: `${out}${name}-${colorScheme}.png` });
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
