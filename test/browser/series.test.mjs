// Samples: the explorer, the feed of anomalies, the budget, and what was refused.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually, get, openPage, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser;
const pages = [];
const minute = 60_000, now = Math.floor(Date.now() / minute) * minute;

/** Sends gauges by OTLP: for each name how it goes, by minutes before now. */
async function sendSeries(names, minutes, valueOf, step = minute) {
  for (let from = minutes; from > 0; from -= 1000) {
    const metrics = names.map((name, n) => ({
      name, unit: "{item}",
      gauge: { dataPoints: Array.from({ length: Math.min(1000, from) }, (_, i) => ({ timeUnixNano: `${now - (from - i) * step}000000`, asDouble: valueOf(n, from - i) })) },
    }));
    const body = { resourceMetrics: [{ resource: { attributes: [{ key: "service.name", value: { stringValue: "shop" } }, { key: "service.instance.id", value: { stringValue: "shop-1" } }] }, scopeMetrics: [{ metrics }] }] };
    const answer = await fetch(`${server.url}/v1/metrics`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
    assert.equal(answer.status, 200, await answer.text());
  }
}

/** Noise that is the same each time. */
const noise = (n, i) => ((i * 7919 + n * 104_729) % 1009) / 1009;

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) {
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  }
});

async function open(path, options = {}) {
  const page = await openPage(browser, server.url, path, options);
  pages.push(page);
  return page;
}

const chart = (page) => page.getByRole("img").filter({ has: page.locator("canvas") });

test("with no samples the explorer says how to send some, and the feed what it waits for", async () => {
  const page = await open("/explore");
  await page.getByRole("heading", { name: "No samples have come yet" }).waitFor();
  assert.match(await page.locator("pre").first().innerText(), /remote_write:\s+- url: http:\/\/\S+\/api\/v1\/write/);
  assert.deepEqual(await seriousFindings(page), []);
  await page.goto(`${server.url}/anomalies`);
  await page.getByRole("heading", { name: "Nothing abnormal so far" }).waitFor();
  await page.goto(`${server.url}/anomalies?tab=budget`);
  await page.getByRole("heading", { name: "Nothing abnormal yet" }).waitFor();
});

test("a metric is chosen, drawn with its band, zoomed, compared, and asked for by PromQL and by entity", async () => {
  // Two days of two metrics; the second goes far up twenty minutes ago.
  await sendSeries(["orders.waiting", "queue.length"], 2 * 1440, (n, before) => 100 + 10 * noise(n, before) + (n === 1 && before < 20 ? 400 : 0));
  const page = await open("/explore");
  await page.getByRole("link", { name: "orders_waiting" }).click();
  await chart(page).first().waitFor();
  assert.match(await chart(page).first().getAttribute("aria-label"), /orders_waiting\{.*job="shop".*\}: 3\d\d values.*no anomaly/);
  assert.equal(new URL(page.url()).searchParams.get("q"), "orders_waiting");

  const box = await page.locator(".u-over").first().boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 40);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + 40, { steps: 5 });
  await page.mouse.up();
  await page.getByText("Zoomed").waitFor();
  const zoomed = new URL(page.url()).searchParams;
  assert.ok(Date.parse(zoomed.get("to")) - Date.parse(zoomed.get("from")) < 2.5 * 3_600_000, "about a third of six hours");
  await page.getByRole("button", { name: "Zoom out" }).click();
  await page.getByRole("radiogroup", { name: "Time" }).getByText("6 h").click();

  await page.getByRole("radiogroup", { name: "Compare" }).getByText("Day before").click();
  await page.locator(".u-legend").getByText("day before").waitFor();
  await page.getByRole("radiogroup", { name: "Compare" }).getByText("No comparison").click();

  const ask = page.locator("main input[data-filter]");
  await ask.fill("instance:shop-1");
  await ask.press("Enter");
  await page.getByText(/queue_length\{/).first().waitFor();
  assert.equal(await chart(page).count() >= 2, true, "each series of the entity has a chart");
  await page.getByText("abnormal where shaded").first().waitFor();
  await page.getByRole("radiogroup", { name: "Charts" }).getByText("Together").click();
  await eventually("one chart holds all", async () => (await chart(page).count()) === 1);

  await ask.fill("sum(avg_over_time(queue_length[10m]))");
  await ask.press("Enter");
  await page.getByRole("img", { name: /^\{\}: \d+ values/ }).waitFor();
  await ask.fill("sum(");
  await ask.press("Enter");
  await page.getByRole("alert").getByText(/unclosed left parenthesis/).waitFor();
  page.complaints = page.complaints.filter((text) => !text.includes("400")); // the browser itself reports the answer
  await ask.fill("no_such_metric");
  await ask.press("Enter");
  await page.getByRole("heading", { name: "Nothing has this name in this time" }).waitFor();
});

test("ten thousand values are drawn, and the page goes on answering", async () => {
  await sendSeries(["temperature"], 10_000, (n, before) => 20 + 5 * Math.sin(before / 700) + noise(3, before), 300); // within the last hour: the database takes nothing older beside newer series
  const page = await open(`/explore?q=temperature&from=${new Date(now - 10_000 * 300).toISOString()}&to=${new Date(now).toISOString()}`);
  const drawn = page.getByRole("img", { name: /temperature\{.*\}: (9\d{3}|10000) values/ });
  await drawn.waitFor();
  const box = await page.locator(".u-over").boundingBox();
  for (let i = 0; i < 30; i++) await page.mouse.move(box.x + box.width * (i / 30), box.y + 60);
  await page.locator(".u-legend").getByText(/\d/).first().waitFor();
});

test("an anomaly is in the feed, explained, judged by keys, and counted in the budget", async () => {
  const found = await eventually("the anomaly is known", async () => (await get(server.url, "/anomalies")).items.find((a) => a.title.startsWith("queue_length")), 30_000);
  const page = await open("/anomalies");
  const row = page.locator(`tr[data-id="${found.id}"]`);
  await row.waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  const drawer = page.getByRole("dialog", { name: "Anomaly" });
  await drawer.getByRole("heading", { name: /queue_length/ }).first().waitFor();
  await drawer.getByText(/usual at this time is/).first().waitFor();
  await drawer.getByText(/People were (not )?told/).waitFor();
  await drawer.getByRole("img", { name: /queue_length\{.*abnormal from/ }).first().waitFor();
  assert.deepEqual(await seriousFindings(page), []);

  await drawer.getByRole("button", { name: "Useful" }).click();
  await drawer.getByText(/said it was useful/).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await eventually("it is taken back", async () => (await get(server.url, `/anomalies/${found.id}`)).feedback === "");
  await drawer.getByRole("button", { name: "Normal, fewer like it" }).click();
  await eventually("it is kept", async () => (await get(server.url, `/anomalies/${found.id}`)).feedback === "normal");
  const { items } = await get(server.url, "/audit?q=anomaly");
  assert.ok(items.length > 0, "what was said is in the audit log");
  await page.keyboard.press("Escape");
  await drawer.waitFor({ state: "hidden" });

  await page.goto(`${server.url}/anomalies?tab=budget`);
  await page.getByText(/a week are welcome, and never more than 7/).waitFor();
  await page.getByRole("img", { name: /by p-value|No anomaly has ended yet/ }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
});

test("what was refused is on the page of the server's health", async () => {
  const bad = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "hot", gauge: { dataPoints: [{ timeUnixNano: `${Date.now()}000000`, asDouble: "Infinity" }] } }] }] }] };
  await fetch(`${server.url}/v1/metrics`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(bad) });
  const page = await open("/health");
  const row = page.getByRole("region", { name: "Telemetry" }).getByRole("row").filter({ hasText: "otlp" });
  await row.getByText("infinite 1").waitFor();
  await row.getByText(/metric hot.asDouble: send a finite value/).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
});

for (const [name, options] of [["on a phone", { viewport: { width: 390, height: 844 } }], ["in the dark", { colorScheme: "dark" }]]) {
  test(`explorer, feed and budget work ${name}`, async () => {
    for (const path of ["/explore", "/explore?q=job:shop", "/anomalies", "/anomalies?tab=budget"]) {
      const page = await open(path, options);
      await page.locator("main").getByText(/stored|abnormal|welcome/).first().waitFor();
      await page.waitForLoadState("networkidle").catch(() => undefined); // live updates keep a connection open
      assert.deepEqual(await seriousFindings(page), [], path);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${path} sticks out sideways`);
    }
  });
}
