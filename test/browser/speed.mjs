// Measures in Chromium how fast the page is with 10,000 firing alerts: first load of each page (cold cache, from the start of the
// navigation until its content is painted), and interactions (Event Timing: from the input until the next paint). It prints a
// table and judges nothing: node test/browser/speed.mjs [alerts]
import { get, openPage, post, startBrowser, startServer, eventually } from "./harness.mjs";

const count = Number(process.argv[2] ?? 10_000);
const server = await startServer();
const browser = await startBrowser();

/** n alerts of 50 services, as Prometheus sends them. */
const batch = (from, n) => Array.from({ length: n }, (_, i) => ({
  labels: { alertname: ["HighErrorRate", "LatencyHigh", "PoolExhausted", "PodNotReady"][(from + i) % 4], service: `service-${(from + i) % 50}`, pod: `pod-${from + i}`, severity: ["critical", "warning", "error", "info"][(from + i) % 4], cluster: "eu-1" },
  annotations: { summary: `pod ${from + i} answers 5xx for more than five minutes` },
}));

/** The median and the largest of some numbers, in whole milliseconds. */
const sum = (ms) => { const sorted = [...ms].sort((a, b) => a - b); return `${Math.round(sorted[Math.floor(sorted.length / 2)])} | ${Math.round(sorted.at(-1))}`; };

/** From the start of a navigation until content is painted: the page's heading, and no mark of loading any more. */
async function load(path) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
  const fresh = await context.newPage();
  await fresh.addInitScript(() => {
    new PerformanceObserver((list) => { globalThis.lcp = list.getEntries().at(-1).startTime; }).observe({ type: "largest-contentful-paint", buffered: true });
    const look = () => {
      if (document.querySelector("h1") && !document.querySelector("[role=status][aria-label^=Loading]")) globalThis.done ??= performance.now();
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await fresh.goto(server.url + path);
  await fresh.waitForFunction(() => globalThis.done);
  await fresh.waitForTimeout(500); // later content
  const result = await fresh.evaluate(() => ({
    ms: Math.max(globalThis.done, globalThis.lcp ?? 0), first: performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0,
    kb: performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation")).reduce((all, r) => all + r.transferSize, 0) / 1024,
  }));
  await context.close();
  return result;
}

/** How long the browser took for what do() does, n times: the longest event each time. */
async function interact(page, n, act) {
  const times = [];
  for (let i = 0; i < n; i++) {
    await page.evaluate(() => { globalThis.longest = 0; });
    await act(i);
    await page.waitForTimeout(250);
    times.push(await page.evaluate(() => globalThis.longest));
  }
  return times;
}

const watchEvents = (page) => page.evaluate(() => {
  globalThis.longest = 0;
  new PerformanceObserver((list) => { for (const e of list.getEntries()) globalThis.longest = Math.max(globalThis.longest, e.duration); }).observe({ type: "event", durationThreshold: 16, buffered: false });
});

try {
  for (let from = 0; from < count; from += 500) {
    const answer = await fetch(`${server.url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(batch(from, Math.min(500, count - from))) });
    if (!answer.ok) throw new Error(`alerts were refused: ${answer.status}`);
  }
  await eventually("all alerts are there", async () => (await get(server.url, "/stats")).alerts.firing >= count, 120_000);
  await post(server.url, "/silences", { matchers: ['service="service-1"'], endsAt: new Date(Date.now() + 3_600_000).toISOString(), comment: "measured" });
  const incident = (await get(server.url, "/incidents?limit=1")).items[0].id;
  console.log(`${count} alerts fire; ${(await get(server.url, "/stats")).incidents.open} incidents are open\n`);
  console.log("first load, 5 each    | median ms | max ms | first paint, median | KiB");
  for (const path of ["/", `/incidents/${incident}`, `/incidents/${incident}?tab=alerts`, "/alerts", "/overview", "/silences", "/maintenance", "/deliveries", "/approvals", "/analytics", "/audit", "/integrations", "/people", "/health"]) {
    const runs = [];
    for (let i = 0; i < 5; i++) runs.push(await load(path));
    console.log(`${path.padEnd(34)} | ${sum(runs.map((r) => r.ms))} | ${sum(runs.map((r) => r.first)).split(" ")[0]} | ${Math.round(runs[0].kb)}`);
  }
  console.log("\ninteraction, until the next paint | median ms | max ms (what is under 16 ms counts as 0)");
  const say = (what, times) => console.log(`${what.padEnd(50)} | ${sum(times)}`);
  const page = await openPage(browser, server.url, "/alerts");
  await page.getByRole("row").nth(5).waitFor();
  await watchEvents(page);
  say("alerts: next row by j", await interact(page, 30, () => page.keyboard.press("j")));
  say("alerts: wheel", await interact(page, 30, async () => { await page.mouse.move(700, 500); await page.mouse.wheel(0, 1500); }));
  say("alerts: sort by a column, which loads all", await interact(page, 6, (i) => page.locator("thead button").nth(i % 3).click()));
  await page.waitForFunction(() => Number(document.querySelector("table")?.getAttribute("aria-rowcount")) > 9_000, undefined, { timeout: 60_000 });
  say("alerts: sort all by a column", await interact(page, 9, (i) => page.locator("thead button").nth(i % 3).click()));
  say("alerts: next row of all by j", await interact(page, 20, () => page.keyboard.press("j")));
  say("alerts: type a letter into the filter", await interact(page, 12, (i) => (i === 0 ? page.keyboard.press("/") : page.keyboard.type("service-12 "[i - 1]))));
  await page.goto(`${server.url}/alerts`);
  await page.getByRole("row").nth(5).waitFor();
  await watchEvents(page);
  say("alerts: open and close a row", await interact(page, 10, async (i) => { if (i % 2) await page.keyboard.press("Escape"); else await page.locator("tbody tr[data-id] a").first().click(); }));
  await page.goto(`${server.url}/incidents/${incident}?tab=alerts`);
  await page.getByRole("row").nth(5).waitFor();
  await watchEvents(page);
  say("incident: select an alert", await interact(page, 10, (i) => page.getByRole("checkbox").nth(1 + i).click()));
  say("incident: select all its alerts", await interact(page, 6, () => page.getByRole("checkbox").first().click()));
  await page.goto(`${server.url}/`);
  await page.getByRole("row").nth(1).waitFor();
  await watchEvents(page);
  say("incidents: next row by j", await interact(page, 20, () => page.keyboard.press("j")));
  say("incidents: open the palette and type", await interact(page, 8, (i) => (i === 0 ? page.keyboard.press("Control+k") : page.keyboard.type("silence"[i - 1] ?? "s"))));
  await page.keyboard.press("Escape");
  // Each page is opened once before, so that its part of the page is there.
  const routes = ["Alerts", "Overview", "Silences", "Maintenance", "Deliveries", "Approvals", "Analytics", "Audit", "Incidents"];
  const go = (name) => page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: new RegExp(`^${name}`) }).click();
  for (const name of routes) { await go(name); await page.waitForTimeout(400); }
  say("to another page by the menu", await interact(page, 27, (i) => go(routes[i % 9])));
  await page.context().close();
} finally {
  await browser.close();
  await server.stop();
}
