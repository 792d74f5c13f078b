// How a model becomes champion: a researcher compares runs, registers the better one and asks for the alias; an approver says
// yes. Then what was deleted is removed for good, which takes two as well.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { crew } from "./crew.mjs";
import { eventually, openPage, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser, experiment, old;
const at = {}; // the page of each person

async function mlflow(method, path, body) {
  const answer = await fetch(`${server.url}/api/2.0/${path}`, { method, headers: { "Content-Type": "application/json" }, body: typeof body === "string" ? body : JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.clone().text()}`);
  return answer.json();
}

const fileOf = async (path) => (await fetch(`${server.url}/api/2.0/mlflow-artifacts/artifacts/${path}`)).status;

before(async () => {
  server = await startServer("closed");
  browser = await startBrowser();
  const sessions = await crew(server, browser, { rita: { display: "Rita", grants: [{ role: "researcher" }] }, amir: { display: "Amir", grants: [{ role: "approver" }] } });
  for (const name of ["root", "rita", "amir"]) at[name] = await openPage(browser, server.url, "/", { storageState: sessions[name] });
  experiment = (await mlflow("POST", "mlflow/experiments/create", { name: "churn" })).experiment_id;
  for (const [start, [name, loss]] of [["tree", 0.5], ["forest", 0.25]].entries()) {
    const { run_id: run } = (await mlflow("POST", "mlflow/runs/create", { experiment_id: experiment, run_name: name, start_time: 1_700_000_000_000 + start })).run.info;
    await mlflow("POST", "mlflow/runs/log-batch", { run_id: run, metrics: [{ key: "loss", value: loss, timestamp: 1, step: 0 }], params: [{ key: "kind", value: name }] });
    await mlflow("PUT", `mlflow-artifacts/artifacts/${experiment}/${run}/artifacts/model/MLmodel`, "flavors: {}");
    await mlflow("POST", "mlflow/runs/update", { run_id: run, status: "FINISHED", end_time: 1_700_000_060_000 });
  }
  old = (await mlflow("POST", "mlflow/experiments/create", { name: "old" })).experiment_id;
  await mlflow("PUT", `mlflow-artifacts/artifacts/${old}/notes/a.txt`, "gone soon");
  await mlflow("POST", "mlflow/experiments/delete", { experiment_id: old });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** The approver opens what waits and says yes, and the asker sees the result. */
async function approve(asker, words, result) {
  const { amir } = at;
  await amir.goto(`${server.url}/approvals`);
  await amir.getByRole("row").filter({ hasText: words }).getByRole("link").first().click();
  const drawer = amir.getByRole("dialog");
  await drawer.getByText(words).first().waitFor();
  await drawer.getByLabel("Your reason").fill("looks right");
  assert.deepEqual(await seriousFindings(amir), []);
  await drawer.getByRole("button", { name: "Approve" }).click();
  await drawer.getByText(result).waitFor();
  await at[asker].getByRole("dialog").getByText(result).waitFor();
}

test("the better run of two is found and registered from its page", async () => {
  const { rita } = at;
  await rita.goto(`${server.url}/experiments/${experiment}`);
  for (const name of ["tree", "forest"]) await rita.getByRole("checkbox", { name: `Select ${name}`, exact: true }).check();
  await rita.getByRole("tab", { name: "Diff (2)" }).click();
  await rita.getByRole("row", { name: /loss 0.25 0.5/ }).waitFor();
  await rita.getByRole("tab", { name: /^Runs/ }).click();
  await rita.getByRole("link", { name: "forest" }).click();
  await rita.getByRole("button", { name: "Register a model…" }).click();
  const box = rita.getByRole("dialog", { name: "Register a model of forest" });
  await box.getByLabel("Model").fill("churn");
  await box.getByRole("combobox", { name: "What" }).waitFor();
  assert.equal(await box.getByRole("combobox", { name: "What" }).inputValue(), "folder model");
  await box.getByLabel("Description").fill("half the loss");
  assert.deepEqual(await seriousFindings(rita), []);
  await box.getByRole("button", { name: "Register" }).click();
  await rita.getByRole("heading", { name: "churn" }).waitFor();
  await rita.getByRole("row", { name: /half the loss/ }).waitFor();
});

test("the alias is asked for by one, approved by another, and then points there", async () => {
  const { rita } = at;
  await rita.getByRole("button", { name: "Ask for alias… of version 1" }).click();
  const box = rita.getByRole("dialog", { name: "Alias for version 1 of churn" });
  await box.getByLabel("Why").fill("best on the hold-out");
  await box.getByRole("button", { name: "Ask for it" }).click();
  await rita.getByRole("dialog").getByText("One other person must approve.").waitFor();
  assert.equal(await rita.getByRole("button", { name: "Approve" }).count(), 0, "nobody approves what they asked for");
  await approve("rita", /Point the alias champion of the model churn to version 1/, "champion of churn is version 1.");
  const { model_version: version } = await (await fetch(`${server.url}/api/2.0/mlflow/registered-models/alias?name=churn&alias=champion`)).json();
  assert.equal(version.version, "1");
  await rita.goto(`${server.url}/models/churn`);
  await rita.getByRole("cell", { name: "champion" }).waitFor();
});

test("what was deleted is removed for good when a second person approves", async () => {
  const { root } = at;
  await root.goto(`${server.url}/experiments?tab=deleted`);
  await root.getByRole("link", { name: "old" }).waitFor();
  await root.getByRole("button", { name: "Ask for a purge…" }).click();
  const box = root.getByRole("dialog", { name: "Ask for a purge of what is deleted" });
  await box.getByLabel("What was deleted more than so many days ago").fill("0");
  await box.getByText(/Now that is 1 experiment,/).waitFor();
  await box.getByLabel("Why").fill("spring");
  await box.getByRole("button", { name: "Ask for it" }).click();
  await root.getByRole("dialog").getByText("One other person must approve.").waitFor();
  assert.equal(await fileOf(`${old}/notes/a.txt`), 200);
  await approve("root", /Remove for good 1 experiments/, "1 experiments, 0 runs and 0 logged models were removed.");
  await eventually("the file is gone", async () => (await fileOf(`${old}/notes/a.txt`)) === 404);
  await mlflow("POST", "mlflow/experiments/create", { name: "old" }); // its name is free again
  await root.goto(`${server.url}/experiments?tab=deleted`);
  await root.getByText("Nothing is deleted").waitFor();
  await root.goto(`${server.url}/audit`);
  await root.getByRole("row").filter({ hasText: "experiments.purge" }).first().waitFor();
});
