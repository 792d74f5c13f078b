// A team points its tools here: an integration with its key and lines, the first payload, a mapper, a dead letter that
// goes through after the cause is mended.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { after, afterEach, before, test } from "node:test";
import { createServer } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { api, eventually, get, openPage, outage, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

const run = promisify(execFile);
let server, browser, page;
let hook, folder; // who is told, and the configuration that says so

before(async () => {
  hook = createServer((request, response) => { request.resume(); response.writeHead(request.url === "/gone" ? 404 : 200).end(); }).listen(0, "127.0.0.1");
  await once(hook, "listening");
  const to = (path) => `webhook_configs: [{url: "http://127.0.0.1:${hook.address().port}${path}"}]`;
  folder = await mkdtemp(join(tmpdir(), "fairlead-told-"));
  await writeFile(join(folder, "alertmanager.yml"), `route:\n  receiver: team-shop\n  group_wait: 1s\n  routes:\n    - {receiver: team-gone, matchers: ['severity="critical"'], continue: true}\n    - {receiver: team-shop}\nreceivers:\n  - name: team-shop\n    ${to("/")}\n  - name: team-gone\n    ${to("/gone")}\n`);
  await writeFile(join(folder, "fairlead.yml"), 'notify:\n  alertmanager: "alertmanager.yml"\n');
  server = await startServer("serve", ["--config", join(folder, "fairlead.yml")]);
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  hook?.close();
  await rm(folder, { recursive: true, force: true });
});
afterEach(async () => {
  const complaints = page?.complaints ?? [];
  await page?.context().close();
  page = undefined;
  assert.deepEqual(complaints, [], "the console is silent");
});

const open = async (path, options) => { page = await openPage(browser, server.url, path, options); return page; };
const send = (path, body, headers = {}) => fetch(server.url + path, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
const make = async (body) => {
  const answer = await send(`${api}/integrations`, body);
  assert.equal(answer.status, 200, await answer.clone().text());
  return answer.json();
};
const field = (name) => page.getByRole("combobox", { name, exact: true });
/** The kind of an integration whose payloads a mapper reads. */
const mapped = async () => ((await get(server.url, "/integrations")).kinds.includes("json") ? "json" : "alertmanager");

test("no integration yet: the page says what one is and how to get it", { skip: Boolean(process.env.FAIRLEAD_URL) }, async () => {
  await open("/integrations");
  await page.getByRole("heading", { name: "No sender has a door of its own yet" }).waitFor();
  await page.getByRole("link", { name: "Add integration" }).click();
  await page.waitForURL("**/integrations/new");
});

test("deliveries say how to get some while there are none", { skip: Boolean(process.env.FAIRLEAD_URL) }, async () => {
  await open("/deliveries");
  await page.getByRole("heading", { name: "Nobody has been told of anything yet" }).waitFor();
  assert.match(await page.locator("pre").innerText(), /fairlead import alertmanager/);
});

test("every kind that the server takes has a name and lines to paste", async () => {
  const { kinds } = await get(server.url, "/integrations");
  await open("/integrations/new");
  await page.locator("a[href*='pick=']").first().waitFor();
  const cards = await page.locator("a[href*='pick=']").evaluateAll((links) => links.map((a) => ({ kind: new URL(a.href).searchParams.get("pick"), title: a.firstElementChild.textContent })));
  assert.deepEqual(cards.map((c) => c.kind).sort(), [...new Set(kinds)].sort());
  for (const { kind, title } of cards) assert.notEqual(title, kind, `${kind} has no friendly name`);
});

test("the test that the page offers for each kind is taken", async () => {
  const { kinds } = await get(server.url, "/integrations");
  await open("/integrations");
  for (const kind of new Set(kinds)) {
    const { key } = await make({ name: `try-${kind}`, kind });
    await page.goto(`${server.url}/integrations/try-${kind}?tab=set-up`);
    await page.getByRole("heading", { name: "Try it" }).waitFor();
    const command = (await page.locator("figure pre").last().innerText()).replaceAll("YOUR_KEY", key);
    if (command.startsWith("aws ")) continue; // only the cloud can sign
    await run("bash", ["-c", command]);
    const { captures, requests, lastError } = await eventually(`${kind} is noted`, async () => { const i = await get(server.url, `/integrations/try-${kind}`); return i.requests > 0 && i; });
    assert.equal(lastError, "", `${kind}: ${captures[0]?.body}`);
    assert.equal(requests, 1);
  }
});

test("set up PagerDuty from the page: key once, lines to paste, the first payload live", async () => {
  await open("/integrations/new");
  await page.getByRole("link", { name: /^PagerDuty/ }).click();
  await page.getByLabel("Name", { exact: true }).fill("Pager Prod");
  await page.getByText("Use lower-case letters, digits and dashes.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("pager-prod");
  await page.getByRole("button", { name: "Make integration" }).click();
  const key = await page.getByTestId("key").innerText();
  assert.match(key, /^fl_/);
  await page.getByRole("button", { name: "Copy the key" }).click();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), key);
  await page.getByText("Waiting for the first payload").waitFor();
  const lines = await page.locator("figure pre").allInnerTexts();
  assert.ok(lines.some((l) => l.includes(`url: ${server.url}/v2/enqueue`) && l.includes(`routing_key: ${key}`)), lines.join("\n"));

  await run("bash", ["-c", lines.at(-1)]); // the test that the page offers
  const row = page.getByRole("list", { name: "Last payloads" }).getByRole("button", { name: /accepted 202.*1 alert/ });
  await row.waitFor();
  await page.getByLabel("Payload", { exact: true }).getByText("A test of the way to Fairlead").waitFor();
  assert.ok(!(await page.getByLabel("Payload", { exact: true }).innerText()).includes(key), "the key is not in the captured payload");
  await eventually("the alert is here", async () => (await get(server.url, "/alerts")).items.some((a) => a.name.includes("A test of the way")));

  await page.getByRole("link", { name: "Open pager-prod" }).click();
  await page.waitForURL("**/integrations/pager-prod");
  await page.getByRole("tab", { name: "Set up" }).click();
  assert.ok(!(await page.locator("main").innerText()).includes(key), "the key is not shown again");
});

test("the list follows what senders send", async () => {
  const { key } = await make({ name: "watched", kind: "pagerduty" });
  await open("/integrations");
  const row = page.locator("tr[data-id=watched]");
  await row.getByText("not yet").waitFor();
  await send("/v2/enqueue", { routing_key: key, event_action: "trigger" });
  await row.getByText(/payload/).waitFor(); // why it was refused
  await row.getByText("just now").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/integrations/*");
});

test("a new key; the old one stays good for a day", async () => {
  await make({ name: "rotated", kind: "pagerduty", key: "0123456789abcdef0123456789abcdef" });
  await open("/integrations/rotated?tab=settings");
  await page.getByText("…cdef").waitFor();
  await page.getByRole("button", { name: "New key…" }).click();
  await page.getByRole("button", { name: "Make key" }).click();
  const key = await page.getByRole("dialog").getByTestId("key").innerText();
  await page.getByRole("button", { name: "Done" }).click();
  await page.getByText(`…${key.slice(-4)}`).waitFor();
  await page.getByText(/in (23|24) h/).waitFor();
  const event = { event_action: "resolve", dedup_key: "x" };
  for (const routing_key of ["0123456789abcdef0123456789abcdef", key]) assert.equal((await send("/v2/enqueue", { ...event, routing_key })).status, 202);
});

test("settings are saved, undone, and never lost to somebody else's", async () => {
  await make({ name: "settled", kind: "alertmanager" });
  await open("/integrations/settled?tab=settings");
  const put = (body, version) => fetch(`${server.url}${api}/integrations/settled`, { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": String(version) }, body: JSON.stringify(body) });
  const timeout = page.getByLabel("Resolve timeout");
  await timeout.fill("soon");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/not a duration/).waitFor();
  page.complaints = page.complaints.filter((text) => !text.includes("422")); // the browser itself reports the answer
  await timeout.fill("10m");
  await page.getByRole("button", { name: "Save" }).click();
  await eventually("saved", async () => (await get(server.url, "/integrations/settled")).resolveTimeout === "10m");
  await page.getByText("Saved settled").waitFor();
  await timeout.blur();
  await page.keyboard.press("u");
  await eventually("undone", async () => (await get(server.url, "/integrations/settled")).resolveTimeout === "");

  await page.getByRole("switch", { name: "Observe only" }).click({ force: true });
  const { version } = await get(server.url, "/integrations/settled");
  assert.equal((await put({ forward: "https://today.example/x" }, version)).status, 200);
  const notice = page.getByRole("alert").filter({ hasText: "Somebody else has changed this integration meanwhile" });
  await notice.waitFor();
  await eventually("both versions stand there", async () => /Forward to\s+https:\/\/today.example\/x\s+\(empty\)\s+Observe only\s+no\s+yes/.test(await notice.innerText()));
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("button", { name: "Save mine over it" }).click();
  await eventually("mine is saved", async () => (await get(server.url, "/integrations/settled")).observe === true);
});

test("write a mapper and see at once what it makes of a payload that came", async () => {
  const kind = await mapped();
  const { key } = await make({ name: "odd-tool", kind });
  await send(`/in/${kind}/odd-tool`, { site: "Shop", checks: [{ check: "http", code: 2 }, { check: "tls", code: 0 }] }, { Authorization: `Bearer ${key}` });
  await eventually("it is captured", async () => (await get(server.url, "/integrations/odd-tool")).captures.length > 0);
  await open("/integrations/odd-tool");
  await page.getByRole("link", { name: "Map it" }).click();
  const preview = page.getByRole("region", { name: "Preview", exact: true });
  await preview.getByText(/names no alert|mapper.name/).first().waitFor();
  await field("Each").fill("body.checks");
  await field("Name").fill("item.");
  await page.getByText(/cannot be read/).first().waitFor();
  assert.ok(await page.getByRole("button", { name: "Save" }).isDisabled(), "what cannot be read cannot be saved");
  await field("Name").fill("item.check");
  await field("State").fill('item.code >= 2 ? "firing" : "resolved"');
  await page.getByRole("button", { name: "Add label" }).click();
  await page.getByLabel("Name of label 1").fill("service");
  await field("Expression of label service").fill("lower(body.site)");
  await preview.getByRole("heading", { name: "Preview: 2 alerts" }).waitFor();
  const rows = preview.locator("tbody tr");
  await rows.filter({ hasText: "http" }).getByText("firing").waitFor();
  await rows.filter({ hasText: "tls" }).getByText("resolved").waitFor();
  await rows.first().getByText("service=shop").waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await eventually("it is saved", async () => (await get(server.url, "/integrations/odd-tool")).mapper.each === "body.checks");
  const answer = await send(`/in/${kind}/odd-tool`, { site: "Shop", checks: [{ check: "http", code: 2 }] }, { Authorization: `Bearer ${key}` });
  assert.ok(answer.ok, await answer.text());
  await eventually("the alert is here", async () => (await get(server.url, "/alerts")).items.some((a) => a.name === "http" && a.labels.service === "shop"));
});

test("replay a dead letter after the mapper is mended", async () => {
  const kind = await mapped();
  const { key } = await make({ name: "late-mapper", kind });
  await send(`/in/${kind}/late-mapper`, { was: "Disk full", where: "db-1" }, { Authorization: `Bearer ${key}` });
  await open("/dead-letters");
  const row = page.locator("tr[data-id]").filter({ hasText: "late-mapper" }).first();
  await row.locator("a").first().click();
  const drawer = page.getByRole("dialog");
  await drawer.getByText("Disk full").waitFor();
  await drawer.getByRole("button", { name: "Replay" }).click();
  await drawer.getByText("Refused again").waitFor();
  await drawer.getByRole("link", { name: "late-mapper" }).click();
  await page.waitForURL("**/integrations/late-mapper*");
  await page.getByRole("tab", { name: "Mapper" }).click();
  await field("Name").fill("item.was");
  await page.getByRole("heading", { name: "Preview: 1 alert" }).waitFor();
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved late-mapper").waitFor();
  await page.goto(`${server.url}/dead-letters`);
  await row.locator("a").first().click();
  await drawer.getByRole("button", { name: "Replay" }).click();
  await drawer.getByText("Accepted this time").waitFor();
  await eventually("the alert is here", async () => (await get(server.url, "/alerts")).items.some((a) => a.name === "Disk full"));
});

test("plan maintenance for every Sunday night, see when it opens, change it, and undo that", async () => {
  await open("/maintenance", { timezoneId: "Europe/Berlin" });
  await page.getByRole("button", { name: "Plan maintenance" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByLabel("Work").fill("patch day");
  await drawer.getByLabel("Starts").fill("2026-01-04T02:00");
  await drawer.getByLabel("Ends").fill("2026-01-04T04:00");
  assert.equal(await drawer.getByRole("combobox", { name: "Time zone" }).inputValue(), "Europe/Berlin");
  await drawer.getByRole("combobox", { name: "Repeats" }).click();
  await page.getByRole("option", { name: "Weekly" }).click();
  await drawer.getByText("Sun", { exact: true }).click();
  await drawer.getByText("Name at least one entity or matcher first").waitFor();
  await drawer.getByRole("combobox", { name: "Entities" }).fill("service:cart");
  await page.keyboard.press("Enter");
  const open5 = drawer.getByRole("region", { name: "When it would be open" }).getByRole("listitem").filter({ hasText: /^Sun,.* 02:00 Europe\/Berlin, 2 h long/ });
  await eventually("five Sundays are shown", async () => (await open5.count()) === 5);
  await drawer.getByRole("button", { name: "Plan it" }).click();
  await page.getByRole("row", { name: /patch day.*every week on Sunday.*service:cart/ }).waitFor();
  const [made] = (await get(server.url, "/maintenance")).items;
  assert.deepEqual([made.rule, made.zone, made.startsAt], ["FREQ=WEEKLY;BYDAY=SU", "Europe/Berlin", "2026-01-04T01:00:00Z"]);

  await page.getByRole("button", { name: "patch day" }).click();
  await drawer.getByRole("combobox", { name: "Repeats" }).click();
  await page.getByRole("option", { name: "By a rule (RFC 5545)" }).click();
  assert.equal(await drawer.getByLabel("Rule", { exact: true }).inputValue(), "FREQ=WEEKLY;BYDAY=SU");
  await drawer.getByLabel("Rule", { exact: true }).fill("FREQ=SOMETIMES");
  await drawer.getByLabel("Rule", { exact: true }).and(page.locator("[aria-invalid=true]")).waitFor();
  page.complaints = page.complaints.filter((text) => !text.includes("422")); // the browser itself reports the answer
  await drawer.getByLabel("Rule", { exact: true }).fill("FREQ=MONTHLY;BYDAY=1SA");
  await drawer.getByText(/^Sat,/).first().waitFor();
  await drawer.getByRole("button", { name: "Save" }).click();
  await page.getByRole("row", { name: /patch day.*FREQ=MONTHLY;BYDAY=1SA/ }).waitFor();
  await page.keyboard.press("u");
  await page.getByRole("row", { name: /patch day.*every week on Sunday/ }).waitFor();
});

test("a window that somebody else changed shows both versions", async () => {
  const put = (id, version, body) => fetch(`${server.url}${api}/maintenance/${id}`, { method: "PUT", headers: { "Content-Type": "application/json", "If-Match": String(version) }, body: JSON.stringify(body) });
  const work = { title: "contested", entities: ["service:cart"], startsAt: "2031-01-04T01:00:00Z", endsAt: "2031-01-04T03:00:00Z", zone: "Europe/Berlin" };
  const made = await (await send(`${api}/maintenance`, work)).json();
  await open("/maintenance");
  await page.getByRole("button", { name: "contested" }).click();
  const drawer = page.getByRole("dialog");
  await drawer.getByLabel("Work").fill("mine");
  assert.equal((await put(made.id, made.version, { ...work, title: "theirs", comment: "later" })).status, 200);
  await drawer.getByRole("button", { name: "Save", exact: true }).click();
  const notice = drawer.getByRole("alert").filter({ hasText: "Somebody else has changed this window meanwhile" });
  await notice.waitFor();
  assert.match(await notice.innerText(), /Title\s+theirs\s+mine\s+Comment\s+later\s+\(empty\)/);
  assert.deepEqual(await seriousFindings(page), []);
  page.complaints = page.complaints.filter((text) => !text.includes("412")); // the browser itself reports the answer
  await notice.getByRole("button", { name: "Take theirs, give mine up" }).click();
  assert.equal(await drawer.getByLabel("Work").inputValue(), "theirs");
  await drawer.getByLabel("Work").fill("both");
  await drawer.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("row", { name: /both/ }).waitFor();
  assert.equal((await fetch(`${server.url}${api}/maintenance/${made.id}`, { method: "DELETE" })).status, 200);
});

test("what a window covers tells nobody, and the calendar deletes and brings back", async () => {
  const at = (ms) => new Date(Date.now() + ms).toISOString();
  const answer = await send(`${api}/maintenance`, { title: "load test", matchers: ['service="mtest"'], startsAt: at(-60_000), endsAt: at(3_600_000) });
  assert.equal(answer.status, 200, await answer.clone().text());
  await open("/maintenance");
  await page.getByRole("row", { name: /load test.*open, ends in/ }).waitFor();
  await page.getByRole("button", { name: "load test" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Deleted load test").waitFor();
  assert.ok(!(await get(server.url, "/maintenance")).items.some((w) => w.title === "load test"));
  await page.keyboard.press("u");
  await page.getByRole("row", { name: /load test/ }).waitFor();
});

test("who was told of an incident, with result and reason", async () => {
  await sendAlerts(server.url, outage("told"));
  const told = await eventually("both are told", async () => { const { items } = await get(server.url, "/deliveries"); const of = (state) => items.find((d) => d.state === state && d.incident); return of("sent") && of("failed") && of("failed"); }, 60_000);
  await open("/deliveries");
  await page.locator("tr[data-id]").filter({ hasText: "team-shop" }).filter({ hasText: "sent" }).first().waitFor();
  const failed = page.locator("tr[data-id]").filter({ hasText: "team-gone" }).first();
  await failed.getByText(/404/).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("state:failed ");
  await page.waitForURL((url) => url.searchParams.get("q") === "state:failed");
  await eventually("only what failed is shown", async () => (await page.locator("tr[data-id]").filter({ hasText: "sent" }).count()) === 0);
  await failed.getByRole("link").click();
  await page.waitForURL(`**/incidents/${told.incident}?tab=told`);
  await page.getByRole("tab", { name: /^Told \(\d+\)/ }).waitFor();
  await page.getByRole("region", { name: "Deliveries of this incident" }).getByText("team-shop").first().waitFor();
});

test("the tee report says by name what today's tool did and Fairlead did not", async () => {
  const tell = (labels) => send("/in/am-told/today", { version: "4", groupKey: `{}:{pod="${labels.pod}"}`, status: "firing", receiver: "slack", alerts: [{ status: "firing", labels, annotations: {}, startsAt: new Date().toISOString(), endsAt: "0001-01-01T00:00:00Z" }] });
  for (const { labels } of outage("told")) assert.ok((await tell(labels)).ok);
  await tell({ alertname: "OnlyThere", pod: "x", severity: "error" });
  await open("/tee");
  await page.getByText(/^\d+ notifications → \d+ pages?/).waitFor();
  await page.getByRole("row", { name: /missed.*OnlyThere.*No such alert/ }).waitFor();
  await page.getByRole("button", { name: "Copy as Markdown" }).click();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /\| missed \| OnlyThere \|/);
  await page.getByRole("link", { name: /^Same/ }).click();
  await page.getByRole("row", { name: /OnlyThere/ }).waitFor({ state: "detached" });
});

test("delete an integration: that is asked for, and decided on the page of approvals", async () => {
  await make({ name: "gone", kind: "pagerduty" });
  await open("/integrations/gone");
  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByText(/Once another person has approved/).waitFor();
  await page.getByRole("textbox", { name: "Why" }).fill("nobody sends any more");
  await page.getByRole("button", { name: "Ask to delete gone" }).click();
  await page.waitForURL("**/approvals?pick=*");
  assert.equal((await fetch(`${server.url}${api}/integrations/gone`)).status, 200, "it only asked");
  const drawer = page.getByRole("dialog");
  await drawer.getByText("nobody sends any more").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  // Nobody else may decide on this machine, so whoever asked confirms.
  await drawer.getByText("Nobody else may decide here").waitFor();
  await drawer.getByRole("textbox", { name: "Your reason" }).fill("sure");
  await drawer.getByRole("button", { name: "Approve" }).click();
  await drawer.getByText("executed").waitFor();
  await eventually("it is deleted", async () => (await fetch(`${server.url}${api}/integrations/gone`)).status === 404);
  await page.keyboard.press("Escape");
  await page.getByText("Nothing waits for a decision").waitFor();
});

test("a purge says first what it would remove", async () => {
  await open("/approvals");
  await page.getByRole("button", { name: "Ask for a purge…" }).click();
  await page.getByText(/Now that is 0 incidents with 0 alerts/).waitFor();
  await page.getByRole("combobox", { name: /Only incidents/ }).or(page.getByRole("textbox", { name: /Only incidents/ })).first().fill("=~");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "body.matchers" }).waitFor();
  assert.ok(await page.getByRole("button", { name: "Ask for it" }).isDisabled());
  assert.deepEqual(page.complaints.splice(0).filter((text) => !text.includes("422")), []);
});

test("a sender that signs gets its signing key and lines that are taken", async () => {
  await open("/integrations/new?pick=json");
  await page.getByLabel("Name", { exact: true }).fill("signs");
  await page.getByRole("button", { name: "Make integration" }).click();
  const key = await page.getByTestId("key").innerText(), signing = await page.getByTestId("signing-key").innerText();
  assert.match(signing, /^[0-9a-f]{64}$/);
  const lines = (await page.locator("figure pre").allInnerTexts()).find((text) => text.includes("X-Signature"));
  assert.ok(lines.includes(signing) && !lines.includes(key), lines);
  await run("bash", ["-c", lines]);
  await page.getByRole("list", { name: "Last payloads" }).getByRole("button", { name: /accepted 202.*1 alert/ }).waitFor();
  const { stdout } = await run("bash", ["-c", lines.replaceAll(signing, "0".repeat(64))]);
  assert.match(stdout, /The signature is wrong/);
});

test("heartbeats: who is heard, paused and forgotten", async () => {
  const { key } = await make({ name: "beats", kind: "heartbeat" });
  await open("/heartbeats");
  const beat = await send("/in/heartbeat/beats?name=nightly&interval=25h", {}, { Authorization: `Bearer ${key}` });
  assert.ok(beat.ok, await beat.text());
  const row = page.getByRole("row").filter({ hasText: "beats" }).first();
  await row.getByText("heard").waitFor();
  await row.getByText("25 h", { exact: true }).waitFor();
  await row.getByRole("button", { name: "Pause" }).click();
  await row.getByText("paused").waitFor();
  await page.keyboard.press("u");
  await row.getByText("heard").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await row.getByRole("button", { name: "Forget…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Forget/ }).click();
  await eventually("it is forgotten", async () => !(await get(server.url, "/heartbeats?integration=beats")).items.length);
  await row.waitFor({ state: "detached" });
});

test("a forgotten silence is ended where it is listed", async () => {
  const now = Date.now(), at = (ms) => new Date(now + ms).toISOString();
  const { silenceID } = await (await send("/api/v2/silences", { matchers: [{ name: "service", value: "old", isRegex: false, isEqual: true }], startsAt: at(0), endsAt: at(1e8), createdBy: "ann", comment: "load test" })).json();
  await open("/");
  // A silence is forgotten after a day only: the list is made to hold this one.
  await page.route("**/silences/forgotten", (route) => route.fulfill({ json: { items: [{ id: silenceID, matchers: '{service="old"}', createdBy: "ann", comment: "load test", startsAt: at(-2e8), endsAt: at(1e8), muted: 0, reason: "It has muted nothing for more than a day.", remindedAt: at(-8e7) }] } }));
  await page.goto(`${server.url}/maintenance`);
  const row = page.getByRole("row").filter({ hasText: "load test" });
  await row.getByText("22 h ago").waitFor();
  await row.getByRole("button", { name: /^End the silence/ }).click();
  await page.getByText(/has ended/).waitFor();
  const silences = await (await fetch(`${server.url}/api/v2/silences`)).json();
  assert.equal(silences.find((silence) => silence.id === silenceID).status.state, "expired");
});

test("on a phone nothing sticks out sideways", async () => {
  await open("/integrations", { viewport: { width: 400, height: 800 } });
  for (const path of ["/integrations", "/integrations/new", "/integrations/pager-prod", "/integrations/odd-tool?tab=mapper", "/integrations/odd-tool?tab=set-up", "/integrations/odd-tool?tab=settings", "/dead-letters", "/maintenance", "/maintenance?pick=new", "/deliveries", "/tee", "/heartbeats", "/approvals"]) {
    await page.goto(server.url + path);
    await page.getByRole("heading", { level: 1 }).waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 400), path);
  }
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious in ${colorScheme}`, async () => {
    await open("/integrations", { colorScheme });
    const found = {};
    const look = async (path, ready) => {
      await page.goto(server.url + path);
      await ready();
      const findings = await seriousFindings(page);
      if (findings.length > 0) found[path] = findings;
    };
    await look("/integrations", () => page.locator("tr[data-id=odd-tool]").waitFor());
    await look("/integrations/new", () => page.getByRole("link", { name: /^PagerDuty/ }).waitFor());
    await look("/integrations/new?pick=pagerduty", () => page.getByLabel("Name", { exact: true }).waitFor());
    await look("/integrations/odd-tool", () => page.getByLabel("Payload", { exact: true }).waitFor());
    await look("/integrations/odd-tool?tab=mapper", () => page.getByRole("heading", { name: /^Preview: / }).waitFor());
    await look("/integrations/odd-tool?tab=set-up", () => page.getByText("Try it").waitFor());
    await look("/integrations/odd-tool?tab=settings", () => page.getByText("Observe only").waitFor());
    await look("/maintenance", () => page.getByRole("button", { name: "patch day" }).waitFor());
    await look("/maintenance?pick=new", () => page.getByRole("dialog").getByLabel("Work").waitFor());
    await look("/deliveries", () => page.locator("tr[data-id]").first().waitFor());
    await look("/tee", () => page.locator("tr[data-id]").first().waitFor());
    await look("/dead-letters", () => page.locator("tr[data-id]").first().waitFor());
    assert.deepEqual(found, {});
  });
}
