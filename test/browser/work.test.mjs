// What a team looks at besides incidents: silences, analytics, the audit log and its proof, the server's health, the overview.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { api, eventually, get, openPage, outage, post, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser;
const pages = [];

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  const alerts = outage("work").map((a, i) => ({ ...a, labels: { ...a.labels, team: i % 2 ? "shop" : "pay" } }));
  await sendAlerts(server.url, alerts);
  await eventually("an incident is open", async () => (await get(server.url, "/incidents?state=open")).items.length > 0, 60_000);
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

/** The text of the file that a button saves. */
async function saved(page, button) {
  const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
  return readFile(await file.path(), "utf8");
}

const drawer = (page, name) => page.getByRole("dialog", { name });

test("an alert is silenced from its drawer, with what that would mute", async () => {
  const page = await open("/alerts");
  await page.getByRole("row").filter({ hasText: "work" }).first().getByRole("link").first().click();
  await page.getByRole("link", { name: "Silence…" }).click();
  const box = drawer(page, "Silence alerts");
  await box.getByText(/It mutes 1 alert that fires now/).waitFor();
  assert.equal(await box.getByRole("button", { name: "Silence", exact: true }).isDisabled(), true, "without a reason it cannot be made");
  await box.getByLabel("Why").fill("the disk is being replaced");
  await box.getByRole("button", { name: "in 1 day" }).click();
  assert.deepEqual(await seriousFindings(page), []);
  await box.getByRole("button", { name: "Silence", exact: true }).click();
  await page.getByRole("row").filter({ hasText: "the disk is being replaced" }).waitFor();
  const [silence] = (await get(server.url, "/silences?state=active")).items;
  assert.ok(Date.parse(silence.endsAt) - Date.now() > 23 * 3_600_000);
  await eventually("the alert counts as silenced", async () => (await get(server.url, "/alerts?disposition=silenced")).items.length === 1);
  await page.getByRole("row").filter({ hasText: "the disk is being replaced" }).getByRole("link", { name: "1", exact: true }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(page.complaints, []);
});

test("a silence that somebody else changed shows both versions", async () => {
  const made = await post(server.url, "/silences", { matchers: ['service="elsewhere"'], endsAt: new Date(Date.now() + 3_600_000).toISOString(), comment: "first words" });
  const page = await open(`/silences?pick=${made.id}`);
  const box = drawer(page, "Change the silence");
  await box.getByLabel("Why").fill("mine");
  const theirs = await fetch(`${server.url}${api}/silences/${made.id}`, { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": String(made.version) }, body: JSON.stringify({ matchers: made.matchers, startsAt: made.startsAt, endsAt: made.endsAt, comment: "theirs" }) });
  assert.equal(theirs.status, 200, await theirs.text());
  await box.getByRole("button", { name: "Save" }).click();
  const notice = box.getByRole("alert");
  await notice.getByText("Somebody else has changed this silence meanwhile.").waitFor();
  assert.match(await notice.innerText(), /theirs[\s\S]*mine/);
  assert.deepEqual(await seriousFindings(page), []);
  await notice.getByRole("button", { name: "Save mine over it" }).click();
  await box.waitFor({ state: "detached" });
  assert.equal((await get(server.url, `/silences/${made.id}`)).comment, "mine");
});

test("a silence ends by its button, and comes back by undo", async () => {
  const made = await post(server.url, "/silences", { matchers: ['service="undone"'], endsAt: new Date(Date.now() + 3_600_000).toISOString(), comment: "to be ended" });
  const page = await open("/silences");
  await page.getByRole("button", { name: 'End the silence service="undone"' }).click();
  await eventually("it has ended", async () => (await get(server.url, `/silences/${made.id}`)).state === "expired");
  await page.getByText('Ended the silence service="undone"').waitFor();
  await page.keyboard.press("u");
  await page.getByText(/Undone: Ended the silence/).waitFor();
  await eventually("another took its place", async () => (await get(server.url, "/silences?state=active&q=undone")).items.length === 1);
});

test("a matcher that cannot be is named where it stands", async () => {
  const page = await open("/silences?pick=new");
  const box = drawer(page, "Silence alerts");
  await box.getByLabel("Matchers").fill("service");
  await box.getByLabel("Matchers").press("Enter");
  await box.getByRole("alert").filter({ hasText: "write a label" }).waitFor();
});

test("the analytics count what happened, by team, and save it as CSV", async () => {
  const [incident] = (await get(server.url, "/incidents?state=open")).items;
  await post(server.url, `/incidents/${incident.id}/acknowledge`, {});
  const page = await open("/analytics?from=7");
  const figure = (name) => page.locator("dl > div").filter({ has: page.locator("dt", { hasText: name }) });
  await figure("MTTA").getByText("1 acknowledged").waitFor();
  assert.match(await figure("Alerts per incident").innerText(), /6 alerts in 1 incident/);
  assert.match(await figure("Noise share").innerText(), /1 of 6 alerts/);
  for (const name of ["MTTA", "MTTR", "Noise share", "Pages per night"]) assert.ok((await figure(name).locator("dd").last().innerText()).length > 40, `${name} has a definition`);
  assert.deepEqual(await seriousFindings(page), []);
  const csv = await saved(page, page.getByRole("button", { name: "Save by team as CSV" }));
  const [head, ...lines] = csv.trimEnd().split("\r\n");
  assert.match(head, /^team,incidents,alerts,alertsPerIncident,received,untold,noiseShare/);
  assert.deepEqual(lines.map((line) => line.split(",").slice(0, 3).join()).sort(), ["pay,1,6", "shop,1,6"]);
  await page.getByRole("region", { name: "By team" }).getByRole("link", { name: "pay" }).click();
  await figure("Noise share").getByText(/of 3 alerts/).waitFor();
  assert.match(page.url(), /q=pay/);
  const periods = await saved(page, page.getByRole("button", { name: "Save the figures by time as CSV" }));
  assert.ok(periods.split("\r\n").length >= 8);
  assert.deepEqual(page.complaints, []);
});

test("the audit log proves itself in the browser, and remembers what it saw", async () => {
  const page = await open("/audit?q=action:silence.");
  await page.getByRole("row").filter({ hasText: "silence.create" }).first().waitFor();
  await page.getByRole("button", { name: "Prove the log" }).click();
  await page.getByText("Signature: holds").waitFor();
  await page.getByText("Only grew: first look").waitFor();
  await post(server.url, "/silences", { matchers: ['service="later"'], endsAt: new Date(Date.now() + 3_600_000).toISOString(), comment: "grown" });
  await page.reload();
  await page.getByRole("row").filter({ hasText: "grown" }).getByRole("link").first().click();
  const box = drawer(page, /^Entry \d+/);
  await box.getByRole("button", { name: "Prove this entry" }).click();
  for (const text of ["Signature: holds", "Only grew: holds", "In the log: holds", "Says the same: holds"]) await box.getByText(text).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  const evidence = JSON.parse(await saved(page, box.getByRole("button", { name: "Save the evidence" })));
  assert.ok(evidence.key && evidence.checkpoint && evidence.inclusion.path.length > 0 && evidence.consistency.path);
  assert.deepEqual(page.complaints, []);
});

test("a server that rewrote its log is found out", async () => {
  const page = await open("/audit");
  await page.getByRole("button", { name: "Prove the log" }).click();
  await page.getByText("Only grew: first look").waitFor();
  // As if entries had been cut off, and others written in their place: the browser saw more, and another root.
  await page.evaluate(() => { const seen = JSON.parse(localStorage.getItem("fairlead-audit-seen")); localStorage.setItem("fairlead-audit-seen", JSON.stringify({ ...seen, size: seen.size + 100 })); });
  await page.getByRole("button", { name: "Prove the log" }).click();
  await page.getByText("Only grew: fails").waitFor();
  await page.evaluate(() => { const seen = JSON.parse(localStorage.getItem("fairlead-audit-seen")); localStorage.setItem("fairlead-audit-seen", JSON.stringify({ ...seen, size: seen.size - 101, root: seen.root })); });
  await page.getByRole("button", { name: "Prove the log" }).click();
  await page.getByText("are not those that this browser saw").waitFor();
  // A record that says something else than what is shown.
  await page.route("**/audit/leaves/*/proof*", async (route) => { const answer = await route.fetch(); const proof = await answer.json(); await route.fulfill({ json: { ...proof, record: proof.record.replace(/^..../, "AAAA") } }); });
  await page.goto(`${server.url}/audit?pick=0`);
  await drawer(page, "Entry 0").getByRole("button", { name: "Prove this entry" }).click();
  await drawer(page, "Entry 0").getByText("In the log: fails").waitFor();
  await drawer(page, "Entry 0").getByText("Says the same: fails").waitFor();
});

test("the health page says what waits and what is wrong", async () => {
  const page = await open("/health");
  await page.getByRole("status").filter({ hasText: "Ready" }).waitFor();
  await page.getByRole("row").filter({ hasText: "accepted, and not yet applied" }).getByText("of 1.0 GB").waitFor();
  assert.ok(await page.getByText(/free of .*; the data folder holds/).isVisible());
  assert.deepEqual(await seriousFindings(page), []);
  await page.route("**/api/fairlead/v1/health", async (route) => { const answer = await route.fetch(); const health = await answer.json(); await route.fulfill({ json: { ...health, ready: false, checks: [{ name: "database", problem: "no answer in time" }] } }); });
  await page.reload();
  await page.getByRole("status").filter({ hasText: "Not ready" }).waitFor();
  await page.getByText("no answer in time").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
});

test("the overview says what goes on and what waits", async () => {
  const page = await open("/overview");
  await page.getByRole("heading", { name: "Waits for you" }).waitFor();
  await page.getByRole("link", { name: /^1 acknowledged/ }).waitFor();
  await page.getByRole("listitem").filter({ hasText: "work" }).first().waitFor();
  // What happens while it is shown changes it, and breaks nothing.
  const { id } = (await get(server.url, "/incidents?state=acknowledged")).items[0];
  await post(server.url, `/incidents/${id}/unacknowledge`, {});
  await page.getByRole("link", { name: /^0 acknowledged/ }).waitFor();
  await post(server.url, `/incidents/${id}/acknowledge`, {});
  await page.getByRole("link", { name: /^1 acknowledged/ }).waitFor();
  await page.getByRole("link", { name: /silences? active/ }).click();
  await page.getByRole("heading", { level: 1, name: "Silences" }).waitFor();
  await page.goBack();
  assert.deepEqual(await seriousFindings(page), []);
  assert.deepEqual(page.complaints, []);
});

test("text that would act is shown as text, on every page that shows what others wrote", async () => {
  const poison = `'; DROP TABLE x; -- "<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>{{7*7}}`;
  const put = (path, body) => fetch(server.url + api + path, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const later = { startsAt: "2031-01-01T00:00:00Z", endsAt: "2031-01-02T00:00:00Z" };
  await sendAlerts(server.url, [{ labels: { alertname: poison, service: "poisoned", severity: "critical", odd: poison }, annotations: { summary: poison } }]);
  const incident = await eventually("the incident is there", async () => (await get(server.url, "/alerts?match=service%3Dpoisoned")).items[0]?.incident, 60_000);
  await post(server.url, `/incidents/${incident}/notes`, { text: poison });
  await post(server.url, "/silences", { matchers: [`odd=${JSON.stringify(poison)}`], ...later, comment: poison });
  await post(server.url, "/maintenance", { title: poison, entities: ["service:poisoned"], ...later, comment: poison });
  await post(server.url, "/users", { name: "poisoned", display: poison, grants: [{ role: "viewer" }] });
  await post(server.url, "/teams", { name: "poisoned", description: poison });
  await put("/me/views", { page: "incidents", name: "<b onclick=alert(1)>x</b>", query: poison, shared: true });
  const asked = await post(server.url, "/purges", { olderThanDays: 30, reason: poison });
  for (const path of ["/", `/incidents/${incident}`, `/incidents/${incident}?tab=alerts`, "/alerts", "/silences", "/maintenance", "/people", "/people?q=teams", `/approvals?pick=${asked.id}`]) {
    const page = await open(path);
    await page.getByText(/DROP TABLE|onclick=alert/).filter({ visible: true }).first().waitFor().catch((err) => { throw new Error(`${path}: ${err.message}`); });
    assert.notEqual(await page.title(), "owned", path);
    assert.equal(await page.locator("img[src=x], [onclick]").count(), 0, path);
    assert.deepEqual(page.complaints, [], path);
  }
});

test("each of these pages works on a phone, in the dark", async () => {
  for (const path of ["/overview", "/silences", "/analytics", "/audit", "/health"]) {
    const page = await open(path, { viewport: { width: 400, height: 800 }, colorScheme: "dark" });
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator("[role=status][aria-label^=Loading]").first().waitFor({ state: "detached" });
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 400), `${path} is not wider than the phone`);
    assert.deepEqual(await seriousFindings(page), [], path);
    assert.deepEqual(page.complaints, [], path);
  }
});
