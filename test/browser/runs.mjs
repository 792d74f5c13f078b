// Measures in Chromium how an experiment with 10,000 runs of 20 columns scrolls and is drawn. It prints and judges nothing:
// node test/browser/runs.mjs [runs]
import { openPage, startBrowser, startServer } from "./harness.mjs";

const count = Number(process.argv[2] ?? 10_000);
const clients = 8;
const server = await startServer();
const browser = await startBrowser();

async function mlflow(path, body) {
  const answer = await fetch(`${server.url}/api/2.0/mlflow/${path}`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
  return answer.json();
}

async function addRun(experiment, n) {
  const run = (await mlflow("runs/create", { experiment_id: experiment, run_name: `try-${n}`, start_time: 1_700_000_000_000 + n })).run.info.run_id;
  await mlflow("runs/log-batch", {
    run_id: run, metrics: Array.from({ length: 12 }, (_, k) => ({ key: `m${k}`, value: Math.sin(n * (k + 1)), step: 0, timestamp: 1 })), params: Array.from({ length: 8 }, (_, k) => ({ key: `p${k}`, value: String((n + k) % 7) })),
  });
}

/** The times between frames while a table scrolls by 400 px in each. */
const scroll = (table) => table.evaluate((area) => new Promise((done) => {
  const times = [];
  let last = performance.now();
  area.scrollTop = 0;
  const step = (now) => {
    times.push(now - last);
    last = now;
    area.scrollTop += 400;
    if (times.length < 300) { requestAnimationFrame(step); return; }
    times.sort((a, b) => a - b);
    done({ median: times[150], p95: times[285], longest: times[299] });
  };
  requestAnimationFrame(step);
}));

try {
  const experiment = (await mlflow("experiments/create", { name: "many" })).experiment_id;
  for (let from = 0; from < count; from += clients) await Promise.all(Array.from({ length: Math.min(clients, count - from) }, (_, i) => addRun(experiment, from + i)));
  const page = await openPage(browser, server.url, `/experiments/${experiment}`);
  await page.getByRole("link", { name: `try-${count - 1}` }).waitFor();
  const table = page.getByRole("region", { name: "Runs" });
  const start = performance.now();
  const all = page.getByRole("tab", { name: `Runs (${count.toLocaleString("en-US")})` });
  while (await all.count() === 0) {
    await table.evaluate((area) => { area.scrollTop = area.scrollHeight; });
    await page.waitForTimeout(50);
  }
  process.stdout.write(`${count} runs, all loaded by scrolling to the end: ${Math.round(performance.now() - start)} ms\n`);
  const frames = await scroll(table);
  process.stdout.write(`frames while scrolling: median ${frames.median.toFixed(1)} ms, p95 ${frames.p95.toFixed(1)} ms, longest ${frames.longest.toFixed(1)} ms\n`);
  for (const tab of ["Scatter", "Parallel coordinates"]) {
    const clicked = performance.now();
    await page.getByRole("tab", { name: tab }).click();
    await page.getByRole("img", { name: /runs/ }).first().waitFor();
    process.stdout.write(`${tab}: ${Math.round(performance.now() - clicked)} ms\n`);
  }
} finally {
  await browser.close();
  await server.stop();
}
