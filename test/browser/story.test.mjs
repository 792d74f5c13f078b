// The whole story of a team that starts: the first link, a colleague with a password, two who come through the provider with
// other roles, an incident handled by keys alone, a deletion that a second person approves, and the proof that it is on record.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { ask, password } from "./crew.mjs";
import { api, eventually, openPage, outage, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

const run = promisify(execFile);
let server, browser, folder, provider, issuer;
const at = {}; // the page of each person

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "fairlead-story-"));
  const binary = join(folder, "oidc");
  await run("go", ["build", "-o", binary, "."], { cwd: new URL("../oidc", import.meta.url).pathname });
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  issuer = `http://127.0.0.1:${probe.address().port}`;
  probe.close();
  await writeFile(join(folder, "secret"), "secret\n");
  server = await startServer("closed", async (url) => {
    provider = spawn(binary, [issuer.slice(7), `${url}${api}/login/oidc/callback`], { stdio: "ignore" });
    const file = join(folder, "fairlead.yml");
    await writeFile(file, `http:\n  external_url: ${url}\naccess:\n  oidc:\n    issuer: ${issuer}/\n    name: Example\n    client_id: fairlead\n    client_secret_file: ${join(folder, "secret")}\n    groups:\n      - {group: sre, role: responder, teams: [pay]}\n      - {group: leads, role: approver}\n    domains: [example.org]\n`);
    return ["--config", file];
  });
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  provider?.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

async function open(name, path = "/") {
  at[name] = await openPage(browser, server.url, path);
  return at[name];
}

/** What the console of a page complains about, but for requests that were to be refused. */
const complaints = (page) => page.complaints.filter((text) => !/status of 401/.test(text));

/** Says at the provider in which groups somebody is. */
const groups = (user, names) => fetch(`${issuer}/test?user=${user}&groups=${names}`, { method: "POST" });

/** Logs in through the provider, by its own page. */
async function through(page, user) {
  await page.getByRole("link", { name: "Log in with Example" }).click();
  await page.getByLabel("Username:").fill(user);
  await page.getByLabel("Password:").fill("verysecure");
  await page.getByRole("button", { name: "Login" }).click();
  await page.waitForURL(`${server.url}/**`);
  page.complaints = []; // those of the provider's page are not ours
}

test("the first link makes an admin, who makes a team", async () => {
  const root = await open("root");
  const link = await eventually("the link is printed", async () => /http:\/\/\S+\/welcome#link=\S+?(?="|\s|$)/.exec(server.log())?.[0]);
  await root.goto(link);
  await root.getByLabel("Name").fill("root");
  await root.getByLabel("Password", { exact: true }).fill(password);
  await root.getByRole("button", { name: "Become admin" }).click();
  await root.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
  await root.getByRole("link", { name: "People", exact: true }).click();
  await root.getByRole("link", { name: /^Teams/ }).click();
  await root.getByRole("button", { name: "Add a team" }).click();
  const drawer = root.getByRole("dialog", { name: "Add a team" });
  await drawer.getByRole("textbox", { name: "Name" }).fill("pay");
  await drawer.getByRole("button", { name: "Add", exact: true }).click();
  await root.getByRole("row").filter({ hasText: "pay" }).waitFor();
  assert.equal((await ask(root, "POST", "/integrations", { name: "old-pager", kind: "pagerduty" })).status, 200);
  await sendAlerts(server.url, outage("story").map((a) => ({ ...a, labels: { ...a.labels, team: "pay" } })));
  await eventually("an incident is open", async () => (await ask(root, "GET", "/incidents?state=open")).body.items.length > 0, 60_000);
});

test("two come through the provider, back to the page that they asked for, each with a role of its own", async () => {
  const ann = await open("ann", "/alerts?severity=critical");
  await groups("ann", "strangers");
  await eventually("the provider answers", async () => (await fetch(`${issuer}/.well-known/openid-configuration`)).ok);
  await through(ann, "ann");
  await ann.getByRole("alert").filter({ hasText: "none of your groups has a role here" }).waitFor();
  assert.deepEqual(await seriousFindings(ann), []);
  await groups("ann", "sre");
  await ann.goto(`${server.url}/alerts?severity=critical`);
  await through(ann, "ann");
  await ann.getByRole("heading", { level: 1, name: /Alerts/ }).waitFor();
  assert.equal(new URL(ann.url()).pathname + new URL(ann.url()).search, "/alerts?severity=critical");
  await groups("bob", "leads");
  const bob = await open("bob", "/");
  await through(bob, "bob");
  await bob.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
  await bob.getByRole("link", { name: "Audit", exact: true }).waitFor();
  assert.equal(await ann.getByRole("link", { name: "Audit", exact: true }).count(), 0, "a responder has no audit page");
});

test("an incident is handled by keys alone, and the other sees it as it happens", async () => {
  const { ann, bob } = at;
  const key = async (...keys) => { for (const k of keys) await ann.keyboard.press(k); };
  await ann.locator("body").press("1"); // the first page of the menu
  await ann.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
  await ann.getByRole("row").filter({ hasText: "story-" }).first().waitFor();
  await key("/");
  await ann.keyboard.type("state:open severity:critical");
  await key("Enter", "Escape");
  await ann.waitForURL(/severity/);
  await ann.getByRole("row").filter({ hasText: "story-" }).first().waitFor();
  await key("j", "Enter");
  await ann.waitForURL("**/incidents/INC-*");
  const id = /INC-\d+/.exec(ann.url())[0];
  await bob.goto(`${server.url}/incidents/${id}`);
  await bob.getByText("your role reads").waitFor();
  const state = (want) => eventually(`${id} is ${want}`, async () => (await ask(bob, "GET", `/incidents/${id}`)).body.state === want);
  await ann.getByRole("button", { name: /^Resolve/ }).waitFor();
  await key("a");
  await ann.getByRole("dialog", { name: `Give ${id} to` }).waitFor();
  await ann.getByRole("radio", { name: "Me", checked: true }).waitFor();
  await key("Enter");
  await ann.getByText(`Took ${id}`).or(ann.getByText(`Gave ${id} to ann`)).first().waitFor();
  await key("e");
  await state("acknowledged");
  await bob.getByText("acknowledged").first().waitFor();
  await key("n");
  await ann.getByRole("textbox", { name: "What should others know?" }).and(ann.locator(":focus")).waitFor();
  await ann.keyboard.type("the pool was too small");
  await key("Control+Enter");
  await bob.getByRole("listitem").filter({ hasText: "the pool was too small" }).waitFor();
  await key("r");
  await state("resolved");
  await key("u");
  await state("acknowledged");
  await key("?");
  await ann.getByRole("dialog", { name: "Keyboard" }).waitFor();
  await key("Escape", "Control+k");
  await ann.getByRole("dialog").getByRole("textbox").or(ann.getByRole("combobox")).first().waitFor();
  await ann.keyboard.type("silences");
  await key("Enter");
  await ann.getByRole("heading", { level: 1, name: "Silences" }).waitFor();
  assert.deepEqual(complaints(ann), []);
  assert.deepEqual(complaints(bob), []);
});

test("one asks, the second person approves, and the audit log proves it", async () => {
  const { root, bob } = at;
  await root.goto(`${server.url}/integrations/old-pager`);
  await root.getByRole("button", { name: "Delete…" }).click();
  await root.getByRole("textbox", { name: "Why" }).fill("nobody sends any more");
  await root.getByRole("button", { name: "Ask to delete old-pager" }).click();
  await root.getByRole("dialog").getByText(/your own request/).waitFor();
  assert.equal(await root.getByRole("button", { name: "Approve", exact: true }).count(), 0, "never one's own");
  await bob.getByRole("link", { name: /^Approvals/ }).click();
  await bob.getByRole("link", { name: /Delete the integration old-pager/ }).click();
  await bob.getByRole("textbox", { name: "Your reason" }).fill("checked with the team");
  await bob.getByRole("button", { name: "Approve", exact: true }).click();
  await bob.getByRole("dialog").getByText("executed").waitFor();
  await root.getByRole("dialog").getByText("executed").waitFor();
  assert.equal((await ask(root, "GET", "/integrations/old-pager")).status, 404);

  await bob.keyboard.press("Escape");
  await bob.getByRole("link", { name: "Audit", exact: true }).click();
  await bob.getByRole("row").filter({ hasText: "integration.delete" }).first().getByRole("link").first().click();
  const entry = bob.getByRole("dialog");
  await entry.getByRole("button", { name: "Prove this entry" }).click();
  await entry.getByText("In the log: holds").waitFor();
  await entry.getByText("Says the same: holds").waitFor();
  assert.deepEqual(await seriousFindings(bob), []);
  assert.deepEqual(complaints(bob), []);
  assert.deepEqual(complaints(root).filter((text) => !/status of 404/.test(text)), []); // what was deleted
});
