// What the browser tests share: a server, a browser, and ways to look at a page as a person does.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(new URL("../../web/ui/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const axePath = require.resolve("axe-core/axe.min.js");

export const api = "/api/fairlead/v1";

/** A port that was free a moment ago. */
async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

/** Asks again every 50 ms until check gives something, or fails after ms. */
export async function eventually(what, check, ms = 15_000) {
  const end = Date.now() + ms;
  for (;;) {
    const result = await check().catch(() => undefined);
    if (result) return result;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((next) => { setTimeout(next, 50); });
  }
}

/** Starts the binary with an empty folder and further arguments (or what makes them of its address and folder), or takes the
 * server of FAIRLEAD_URL. With "closed" people must log in. */
export async function startServer(command = "serve", further = []) {
  if (process.env.FAIRLEAD_URL) return { url: process.env.FAIRLEAD_URL.replace(/\/$/, ""), pid: 0, stop: async () => undefined };
  const binary = process.env.FAIRLEAD ?? new URL("../../bin/fairlead", import.meta.url).pathname;
  const data = await mkdtemp(join(tmpdir(), "fairlead-browser-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const args = command === "demo" ? ["demo", "--http.listen", url.slice(7)] : ["serve", ...(command === "closed" ? [] : ["--dev"]), "--data.dir", data, "--http.listen", url.slice(7), ...(typeof further === "function" ? await further(url, data) : further)];
  const child = spawn(binary, args, { stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  child.stdout.on("data", (part) => { log += part; });
  child.stderr.on("data", (part) => { log += part; });
  const stop = async () => {
    if (child.exitCode === null) {
      child.kill("SIGTERM");
      await Promise.race([once(child, "exit"), new Promise((next) => { setTimeout(next, 10_000).unref(); })]);
    }
    await rm(data, { recursive: true, force: true });
  };
  await eventually("the server is ready", async () => (await fetch(`${url}/-/ready`)).ok).catch(async (err) => { await stop(); throw new Error(`${err.message}\n${log}`); });
  return { url, pid: child.pid, stop, log: () => log };
}

export const startBrowser = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** A fresh page that collects what the console complains about. */
export async function openPage(browser, url, path = "/", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, permissions: ["clipboard-read", "clipboard-write"], ...options });
  const page = await context.newPage();
  page.complaints = [];
  page.on("console", (message) => { if (message.type() === "error" || message.type() === "warning") page.complaints.push(message.text()); });
  page.on("pageerror", (error) => page.complaints.push(String(error.stack)));
  page.setDefaultTimeout(15_000);
  await page.goto(url + path);
  return page;
}

/** Sends alerts as Prometheus does. */
export async function sendAlerts(url, alerts) {
  const answer = await fetch(`${url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(alerts) });
  if (!answer.ok) throw new Error(`alerts were refused: ${answer.status} ${await answer.text()}`);
}

/** n alerts of one outage; the name makes them differ from those of other tests. */
export const outage = (name, n = 6) => Array.from({ length: n }, (_, i) => ({
  labels: { alertname: ["HighErrorRate", "LatencyHigh", "PoolExhausted"][i % 3], service: `${name}-${["payment", "checkout"][i % 2]}`, pod: `${name}-${i}`, severity: ["critical", "warning", "error"][i % 3] },
  annotations: { summary: `${name} pod ${i} answers 5xx` },
}));

export const get = async (url, path) => (await fetch(url + api + path)).json();
export const post = async (url, path, body) => (await fetch(url + api + path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) })).json();

/** Waits until nothing fades or slides any more: what is half-way in has colours of its own. What turns for ever is left alone. */
async function settled(page) {
  await page.evaluate(async () => {
    const frame = () => new Promise((next) => { requestAnimationFrame(next); });
    await frame(); // what was just opened begins to move
    for (let quiet = 0; quiet < 2; quiet++) {
      const moving = document.getAnimations().filter((a) => a.playState === "running" && Number.isFinite(Number(a.effect?.getComputedTiming().endTime)));
      if (moving.length > 0) quiet = -1;
      await Promise.all(moving.map((a) => a.finished.catch(() => undefined))); // one that is cut short is over too
      await frame();
    }
  });
}

/** Findings of axe that a person with a disability would stumble over. */
export async function seriousFindings(page) {
  await settled(page);
  const source = await import("node:fs/promises").then((fs) => fs.readFile(axePath, "utf8"));
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"] }));
  return violations.filter((v) => v.impact === "serious" || v.impact === "critical").map((v) => `${v.impact} ${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} (${n.failureSummary?.split("\n")[1]?.trim()})`).join("; ")}`);
}
