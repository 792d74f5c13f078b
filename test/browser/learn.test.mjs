// What a data scientist looks at: experiments, runs, their files, and registered models. Everything was sent by MLflow's API.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { eventually, openPage, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser, experiment, last;
const pages = [];

async function mlflow(method, path, body) {
  const answer = await fetch(`${server.url}/api/2.0/${path}`, { method, headers: { "Content-Type": "application/json" }, body: typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body) });
  assert.equal(answer.status, 200, `${path}: ${await answer.clone().text()}`);
  return answer.json();
}

const signature = `flavors: {}\nsignature:\n  inputs: '[{"type": "double", "name": "age", "required": true}]'\n`;

/** Two rows of customer, age and score, as Parquet. */
const parquet = Buffer.from(`UEFSMRUGFSwVLBXtoOdCTBUEFQAVBBUMFQAVABIcGAJjMhgCYzEWACgCYzIYAmMxAAAAgAEEAgQDAgAAAAIAAAAAAAAAYzFjMhUGFSAVIBXe39HDBUwVBBUAFQQVABUAFQASHBgIKQAAAAAAAAAYCAcAAAAAAAAA
  FgAoCCkAAAAAAAAAGAgHAAAAAAAAAAAAACkAAAAAAAAABwAAAAAAAAAVBhUgFSAVioT92ANMFQQVABUEFQAVABUAEhwYCAAAAAAAAOA/GAgAAAAAAADQPxYAKAgAAAAAAADgPxgIAAAAAAAA0D8AAAAAAAAAAADg
  PwAAAAAAANA/GRIAGRgCYzEZGAJjMhUAGRYAABkSABkYCAcAAAAAAAAAGRgIKQAAAAAAAAAVABkWAAAZEgAZGAgAAAAAAADQPxkYCAAAAAAAAOA/FQAZFgAAGRwWCBWKARYAAAAZHBaSARWwARYAAAAZHBbCAhWw
  ARYAAAAVBBlMSANyb3cVBgAVDCUAGAhjdXN0b21lciUATBwAAAAVBBWAARUAGANhZ2UlJEysE0ARAAAAFQoVgAEVABgFc2NvcmUAFgQZHBk8JgAcFQwZFQwZGAhjdXN0b21lchUAFgQWigEWigEmCDw2ACgCYzIY
  AmMxABkcFQYVDBUCADwWCAAAFpQFFRYW8gMVJgAmABwVBBkVABkYA2FnZRUAFgQWsAEWsAEmkgE8NgAoCCkAAAAAAAAAGAgHAAAAAAAAAAAZHBUGFQAVAgAAFqoFFRgWmAQVPgAmABwVChkVABkYBXNjb3JlFQAW
  BBawARawASbCAjw2ACgIAAAAAAAA4D8YCAAAAAAAANA/ABkcFQYVABUCAAAWwgUVGBbWBBU+ABbqAxYEGQwWCBbqAxQAABkMGDdnaXRodWIuY29tL3BhcnF1ZXQtZ28vcGFycXVldC1nbyB2ZXJzaW9uIDAuMzIu
  MChidWlsZCApGTwcAAAcAAAcAAAAeAEAAFBBUjE=`.replaceAll(/\s/g, ""), "base64");

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  experiment = (await mlflow("POST", "mlflow/experiments/create", { name: "churn" })).experiment_id;
  for (let i = 0; i < 30; i++) {
    last = (await mlflow("POST", "mlflow/runs/create", { experiment_id: experiment, run_name: `try-${i}`, start_time: 1_700_000_000_000 + i })).run.info.run_id;
    const wide = i === 29 ? Array.from({ length: 480 }, (_, k) => ({ key: `wide ${String(k).padStart(3, "0")}`, value: k, step: 0, timestamp: 1 })) : [];
    const loss = Array.from({ length: 20 }, (_, step) => ({ key: "loss", value: (i + 1) / (step + 1), step, timestamp: step * 1000 }));
    await mlflow("POST", "mlflow/runs/log-batch", { run_id: last, metrics: [...loss, ...wide], params: [{ key: "depth", value: String(i % 3) }, { key: "same", value: "yes" }] });
    if (i < 29) await mlflow("POST", "mlflow/runs/update", { run_id: last, status: "FINISHED", end_time: 1_700_000_060_000 });
  }
  const files = `mlflow-artifacts/artifacts/${experiment}/${last}/artifacts`;
  await mlflow("PUT", `${files}/model/MLmodel`, signature);
  await mlflow("PUT", `${files}/report.csv`, 'customer,note\nc1,"a, b"\n');
  await mlflow("PUT", `${files}/scores.parquet`, parquet);
  const logged = (await mlflow("POST", "mlflow/logged-models", { experiment_id: experiment, name: "net", source_run_id: last })).model.info;
  await mlflow("PUT", `mlflow-artifacts/artifacts/${logged.artifact_uri.replace("mlflow-artifacts:/", "")}/MLmodel`, signature);
  await mlflow("POST", "mlflow/runs/outputs", { run_id: last, models: [{ model_id: logged.model_id, step: 0 }] });
  await mlflow("PUT", `${files}/plot.svg`, '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"><rect width="40" height="20"/></svg>');
  await mlflow("POST", "mlflow/registered-models/create", { name: "churn eu", description: "Who **leaves**\n\n<img src=x onerror=alert(1)>" });
  await mlflow("POST", "mlflow/model-versions/create", { name: "churn eu", source: `mlflow-artifacts:/${experiment}/${last}/artifacts/model`, run_id: last });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});

async function open(path, options = {}) {
  const page = await openPage(browser, server.url, path, options);
  pages.push(page);
  return page;
}

async function fine(page) {
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(page.complaints, []);
}

test("from the list of experiments to a run, by the keyboard", async () => {
  const page = await open("/experiments");
  await page.getByRole("link", { name: "churn" }).waitFor();
  await fine(page);
  await page.getByRole("link", { name: "churn" }).click();
  await page.getByRole("link", { name: "try-29" }).waitFor();
  await fine(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "try-28" }).waitFor();
  await fine(page);
});

test("a filter says what can come next, and what is wrong", async () => {
  const page = await open(`/experiments/${experiment}`);
  const box = page.getByRole("combobox", { name: "Filter", exact: true });
  await box.fill("metrics.lo");
  await page.getByRole("option", { name: "metrics.loss" }).click();
  await page.getByRole("option", { name: "metrics.loss <", exact: true }).click();
  await box.press("End");
  await box.pressSequentially("0.1");
  await box.press("Enter");
  await page.getByRole("tab", { name: "Runs (1)" }).waitFor();
  await page.getByRole("link", { name: "try-0", exact: true }).waitFor();
  await box.fill("metrics.loss <");
  await box.press("Enter");
  await page.getByRole("alert").waitFor();
});

test("hundreds of columns are drawn only where one looks", async () => {
  const page = await open(`/experiments/${experiment}`);
  await page.getByRole("button", { name: /Columns \d+ of 48\d/ }).click();
  await page.getByRole("button", { name: /^All 48\d/ }).click();
  await page.keyboard.press("Escape");
  const table = page.getByRole("region", { name: "Runs" });
  await table.getByRole("columnheader", { name: "wide 000" }).waitFor();
  assert.ok(await table.getByRole("columnheader").count() < 40);
  await table.evaluate((e) => { e.scrollLeft = e.scrollWidth; });
  await table.getByRole("columnheader", { name: "wide 479" }).waitFor();
  assert.ok(await table.getByRole("columnheader").count() < 40);
});

test("runs are grouped, and a group shows its runs", async () => {
  const page = await open(`/experiments/${experiment}?group=p:depth`);
  const group = page.getByRole("button", { name: /^2\s*10 runs/ });
  assert.equal(await page.getByRole("link", { name: /^try-/ }).count(), 0);
  await group.click();
  await page.getByRole("link", { name: "try-29" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^try-/ }).count(), 10);
  await fine(page);
});

test("chosen runs are compared: what differs, charts, scatter, parallel coordinates", async () => {
  const page = await open(`/experiments/${experiment}?q=${encodeURIComponent("metrics.loss < 0.2")}`);
  for (const name of ["try-0", "try-1"]) await page.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
  await page.getByRole("tab", { name: "Diff (2)" }).click();
  await page.getByRole("row", { name: /depth 1 0/ }).waitFor();
  assert.equal(await page.getByRole("row", { name: /same/ }).count(), 0, "what is the same is left out");
  await fine(page);
  await page.getByRole("tab", { name: "Charts" }).click();
  await page.getByRole("img", { name: /^loss\. try-1: last 0.1, from 0.1 to 2; try-0: last 0.05/ }).waitFor();
  await fine(page);
  await page.getByRole("tab", { name: "Scatter" }).click();
  await page.getByRole("img", { name: "loss against depth: 2 runs" }).waitFor();
  await fine(page);
  await page.getByRole("tab", { name: "Parallel coordinates" }).click();
  await page.getByRole("img", { name: "2 runs across depth, loss" }).waitFor();
  const axis = await page.locator('rect[data-axis="m:loss"]').boundingBox();
  await page.mouse.move(axis.x + axis.width / 2, axis.y + axis.height / 2);
  await page.mouse.down();
  await page.mouse.move(axis.x + axis.width / 2, axis.y - 20, { steps: 5 }); // beyond its end
  await page.mouse.up();
  await page.getByText("1 of 2 runs are in the ranges.").waitFor();
  await page.getByRole("button", { name: "Choose them" }).click();
  await page.getByRole("img", { name: "1 run across depth, loss" }).waitFor();
  await fine(page);
});

test("a chart of a running run goes on by itself", async () => {
  const page = await open(`/runs/${last}?tab=charts`);
  await page.getByRole("textbox", { name: "Metric contains" }).fill("loss");
  await page.getByRole("img", { name: /^loss\. try-29: last 1\.5/ }).waitFor();
  await mlflow("POST", "mlflow/runs/log-metric", { run_id: last, key: "loss", value: 0.125, step: 20, timestamp: 30_000 });
  await page.getByRole("img", { name: /^loss\. try-29: last 0\.125/ }).waitFor();
  await fine(page);
});

test("a run's files are looked at: signature, table, picture", async () => {
  const page = await open(`/runs/${last}?tab=files`);
  await page.getByRole("button", { name: "model", exact: true }).click();
  await page.getByRole("button", { name: /MLmodel/ }).click();
  await page.getByRole("row", { name: "inputs age double yes" }).waitFor();
  await page.getByRole("button", { name: /report.csv/ }).click();
  await page.getByRole("cell", { name: "a, b" }).waitFor();
  await page.getByRole("button", { name: /scores.parquet/ }).click();
  await page.getByRole("row", { name: "c1 41 0.5" }).waitFor();
  await fine(page);
  await page.getByRole("button", { name: /plot.svg/ }).click();
  await page.waitForFunction(() => document.querySelector('img[alt="plot.svg"]')?.naturalWidth === 40);
  await fine(page);
});

test("the files of a logged model are looked at", async () => {
  const page = await open(`/runs/${last}?tab=files`);
  await page.getByRole("button", { name: "model net" }).click();
  await page.getByRole("button", { name: /MLmodel/ }).click();
  await page.getByRole("row", { name: "inputs age double yes" }).waitFor();
  await page.reload();
  await page.getByRole("row", { name: "inputs age double yes" }).waitFor();
  await fine(page);
});

test("a trace is found and read as a tree, by the keyboard", async () => {
  const at = (ms) => String(1_700_000_000_000 * 1_000_000 + ms * 1_000_000);
  const span = (n, parent, name, from, to, further = {}) => ({ traceId: "000000000000000000000000000000a1", spanId: n.repeat(16), ...(parent ? { parentSpanId: parent.repeat(16) } : {}), name, startTimeUnixNano: at(from), endTimeUnixNano: at(to), ...further });
  const text = (key, value) => ({ key, value: { stringValue: value } });
  const spans = [
    span("a", "", "answer", 0, 900, { attributes: [text("mlflow.spanInputs", '{"q": "why?"}'), text("mlflow.spanOutputs", '"because"')] }),
    span("b", "a", "retrieve", 10, 200), span("c", "b", "embed", 20, 50),
    span("d", "a", "ask", 210, 880, { status: { code: 2, message: "too slow" }, attributes: [text("model", "tiny")] }),
  ];
  const answer = await fetch(`${server.url}/v1/traces`, { method: "POST", headers: { "Content-Type": "application/json", "x-mlflow-experiment-id": experiment }, body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] }) });
  assert.equal(answer.status, 200);
  const page = await open(`/experiments/${experiment}`);
  await page.getByRole("group", { name: "Views" }).getByRole("link", { name: "Traces" }).click();
  await page.getByRole("link", { name: "answer" }).waitFor();
  await page.getByText("because", { exact: true }).waitFor();
  await fine(page);
  const box = page.getByRole("combobox", { name: "Filter", exact: true });
  await box.fill("span.name = 'ask'");
  await box.press("Enter");
  await page.getByRole("link", { name: "answer" }).click();
  const tree = page.getByRole("region", { name: "Spans" });
  const names = (want) => eventually(`the tree is ${want}`, async () => (await tree.getByRole("link").allTextContents()).join(" ") === want);
  await names("answer retrieve embed ask");
  await page.getByRole("article", { name: "Span answer" }).getByText('"q": "why?"').waitFor();
  await fine(page);
  for (const key of ["j", "j", "j"]) await page.keyboard.press(key);
  const detail = page.getByRole("article", { name: "Span ask" });
  await detail.getByText("too slow").waitFor();
  await detail.getByRole("row", { name: "model tiny" }).waitFor();
  await page.reload();
  await detail.getByText("too slow").waitFor();
  await tree.getByRole("button", { name: "1 span below retrieve" }).click();
  await names("answer retrieve ask");
  await fine(page);
});

test("a model's alias is asked for", async () => {
  const page = await open("/models");
  await page.getByRole("link", { name: "churn eu" }).click();
  await page.getByText("leaves", { exact: true }).waitFor();
  assert.equal(await page.locator("img[src=x]").count(), 0, "HTML in a description is text");
  await fine(page);
  await page.getByRole("button", { name: "Ask for alias… of version 1" }).click();
  const box = page.getByRole("dialog", { name: "Alias for version 1 of churn eu" });
  await box.getByLabel("Why").fill("best on the hold-out");
  await fine(page);
  await box.getByRole("button", { name: "Ask for it" }).click();
  await page.getByRole("dialog").getByText(/Point the alias champion of the model churn eu to version 1/).first().waitFor();
});

test("what is deleted is asked to be removed for good", async () => {
  const { experiment_id: old } = await mlflow("POST", "mlflow/experiments/create", { name: "old" });
  await mlflow("POST", "mlflow/experiments/delete", { experiment_id: old });
  const page = await open("/experiments?tab=deleted");
  await page.getByRole("link", { name: "old" }).waitFor();
  await page.getByRole("button", { name: "Ask for a purge…" }).click();
  const box = page.getByRole("dialog", { name: "Ask for a purge of what is deleted" });
  await box.getByText(/Now that is 0 experiments/).waitFor();
  await box.getByLabel("What was deleted more than so many days ago").fill("0");
  await box.getByText(/Now that is 1 experiment,/).waitFor();
  await box.getByLabel("Why").fill("spring");
  await fine(page);
  await box.getByRole("button", { name: "Ask for it" }).click();
  await page.getByRole("dialog").getByText(/Remove for good 1 experiments/).first().waitFor();
});
