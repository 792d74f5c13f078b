// A team without --dev: the first link makes an admin, who lets a second person in; roles show in the page; a session that
// ends is begun anew above it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ask, password } from "./crew.mjs";
import { api, eventually, openPage, outage, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser;
const pages = [];

before(async () => {
  server = await startServer("closed");
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});

/** A page of a browser of its own. A refused request is what some tests ask for, and the console tells of it. */
async function open(path = "/") {
  const page = await openPage(browser, server.url, path);
  pages.push(page);
  return page;
}

function complaints(page) {
  return page.complaints.filter((text) => !/status of (40[13]|410|422)/.test(text));
}

async function logIn(page, name, heading = /Incidents/) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: heading }).waitFor();
}

/** Chooses a value of a select. */
async function pick(page, label, value) {
  await page.getByRole("textbox", { name: label }).or(page.getByRole("combobox", { name: label })).first().click();
  await page.getByRole("option", { name: value, exact: true }).click();
}


test("the first link makes an admin, once", async () => {
  const page = await open();
  await page.getByText("fairlead access link").waitFor();
  const link = await eventually("the link is printed", async () => /http:\/\/\S+\/welcome#link=\S+?(?="|\s|$)/.exec(server.log())?.[0]);
  await page.goto(link);
  await page.getByRole("heading", { name: "Welcome to Fairlead" }).waitFor();
  assert.ok(!page.url().includes("link="), "the link is taken out of the address");
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password", { exact: true }).fill("aaaaaaaaaaaa");
  await page.getByRole("button", { name: "Become admin" }).click();
  await page.getByRole("alert").filter({ hasText: "guess" }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Become admin" }).click();
  await page.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
  await page.getByRole("button", { name: /Account: root: admin/ }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await logIn(page, "root");
  assert.deepEqual(complaints(page), []);
  const second = await open();
  await second.goto(link);
  await second.getByText("was used or has expired").waitFor();
});

test("a wrong password is refused in words", async () => {
  const page = await open("/alerts");
  await page.getByLabel("Name").fill("root");
  await page.getByLabel("Password", { exact: true }).fill("not this one, no");
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("alert").filter({ hasText: "Name or password is wrong." }).waitFor();
});

test("a second person comes by a link, and acts within the role", async () => {
  const admin = await open();
  await logIn(admin, "root");
  const made = await ask(admin, "POST", "/users", { name: "ann", display: "Ann", grants: [{ role: "responder" }], reason: "on call" });
  assert.equal(made.status, 200, JSON.stringify(made.body));
  assert.match(made.body.link.path, /^\/welcome#link=/);
  const page = await open();
  await page.goto(server.url + made.body.link.path);
  await page.getByRole("heading", { name: "Welcome, ann" }).waitFor();
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
  assert.equal(await page.getByRole("link", { name: "Integrations" }).count(), 0, "what is for admins is not in the menu");
  assert.equal(await admin.getByRole("link", { name: "Integrations" }).count(), 1);
  await sendAlerts(server.url, outage("people"));
  await page.getByRole("row").filter({ hasText: "people-" }).first().click();
  await page.getByRole("button", { name: /^Acknowledge/ }).first().click();
  await page.getByText("acknowledged", { exact: false }).first().waitFor();
  const seen = await eventually("it is acknowledged by ann", async () => {
    const { body } = await ask(admin, "GET", "/incidents?state=acknowledged");
    return body.items.find((i) => i.acknowledgedBy === "ann");
  });
  assert.equal(seen.state, "acknowledged");
  const refused = await ask(page, "POST", "/integrations", { name: "x", kind: "datadog" });
  assert.equal(refused.status, 403);
});

test("a session that ends is begun anew above the page", async () => {
  const page = await open("/alerts?f=state:firing");
  await page.getByLabel("Name").fill("ann");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: /Alerts/ }).waitFor();
  await page.context().clearCookies();
  await page.getByRole("link", { name: "Incidents" }).first().click();
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await dialog.getByLabel("Password", { exact: true }).fill(password);
  await dialog.getByRole("button", { name: "Log in", exact: true }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.getByRole("row").filter({ hasText: "people-" }).first().waitFor();
});

test("an admin adds a viewer on the page, who reads and may not act", async () => {
  const admin = await open("/people");
  await logIn(admin, "root", "People");
  assert.deepEqual(await seriousFindings(admin), []);
  await admin.getByRole("button", { name: "Add somebody" }).click();
  await admin.getByRole("textbox", { name: "Name", exact: true }).fill("Vera!");
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  await admin.getByRole("alert").filter({ hasText: "body.name" }).waitFor();
  await admin.getByRole("textbox", { name: "Name", exact: true }).fill("vera");
  await admin.getByRole("textbox", { name: "Shown as" }).fill("Vera");
  await pick(admin, "Role 1", "viewer");
  assert.deepEqual(await seriousFindings(admin), []);
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  const link = await admin.getByTestId("link").innerText();
  await admin.getByRole("button", { name: "Done" }).click();
  await admin.getByRole("row").filter({ hasText: "vera" }).getByText("link not opened").waitFor();

  const vera = await open("/");
  await vera.goto(link);
  await vera.getByLabel("Password", { exact: true }).fill(password);
  await vera.getByRole("button", { name: "Set the password" }).click();
  const row = vera.getByRole("row").filter({ hasText: "people-" }).first();
  await row.waitFor();
  assert.equal(await row.getByRole("checkbox").count(), 0, "there is nothing to select for");
  await vera.keyboard.press("j");
  await vera.keyboard.press("r");
  await vera.getByText("Your role only reads.").waitFor();
  await row.click();
  await vera.getByText("your role reads").waitFor();
  for (const name of [/^Resolve/, /^Take/, "More actions", "Add note"]) assert.equal(await vera.getByRole("button", { name }).count(), 0, String(name));
  assert.equal(await vera.getByRole("textbox", { name: "Note" }).count(), 0);
  assert.equal(await vera.getByRole("link", { name: "People", exact: true }).count(), 0);
  // Whoever knows the address is told, in words.
  await vera.goto(`${server.url}/people`);
  await vera.getByRole("alert").filter({ hasText: "admin" }).first().waitFor();
  assert.deepEqual(complaints(admin), []);
  assert.deepEqual(complaints(vera), []);
});

test("two admins change the same person: the second sees both and chooses", async () => {
  const one = await open("/people?pick=vera"), two = await open("/people?pick=vera");
  for (const page of [one, two]) await logIn(page, "root", "People");
  await one.getByRole("textbox", { name: "Shown as" }).fill("Vera One");
  await two.getByRole("textbox", { name: "E-mail" }).fill("vera@example.org");
  await one.getByRole("button", { name: "Save", exact: true }).click();
  await one.getByText("Changed vera").waitFor();
  await two.getByRole("button", { name: "Save", exact: true }).click();
  const notice = two.getByRole("alert").filter({ hasText: "Somebody else has changed vera meanwhile" });
  await notice.getByRole("row", { name: "Shown as Vera One Vera" }).waitFor();
  await notice.getByRole("row", { name: "E-mail (empty) vera@example.org" }).waitFor();
  assert.deepEqual(await seriousFindings(two), []);
  await two.getByRole("button", { name: "Take theirs, give mine up" }).click();
  assert.equal(await two.getByRole("textbox", { name: "Shown as" }).inputValue(), "Vera One");
  assert.deepEqual(complaints(two).filter((text) => !/status of 412/.test(text)), []);
});

test("a team is added, a role limited to it, and it cannot be deleted while it is needed", async () => {
  const admin = await open("/people?q=teams");
  await logIn(admin, "root", "People");
  await admin.getByText("No team yet").waitFor();
  await admin.getByRole("button", { name: "Add a team" }).click();
  await admin.getByRole("textbox", { name: "Name", exact: true }).fill("payments");
  await admin.getByRole("button", { name: "Add", exact: true }).click();
  await admin.getByRole("row").filter({ hasText: "payments" }).waitFor();
  await admin.goto(`${server.url}/people?pick=vera`);
  await pick(admin, "Teams of role 1", "payments");
  await admin.keyboard.press("Escape");
  await admin.getByRole("button", { name: "Save", exact: true }).click();
  await admin.getByText("Changed vera").waitFor();
  await admin.goto(`${server.url}/people?q=teams&pick=payments`);
  await admin.getByRole("button", { name: "Delete", exact: true }).click();
  await admin.getByRole("alert").filter({ hasText: "vera" }).waitFor();
  assert.deepEqual(admin.complaints.filter((text) => !/status of 4(01|09)/.test(text)), []);
});

test("one's own account: sessions, tokens, password", async () => {
  const ann = await open("/account"), elsewhere = await open("/");
  await logIn(ann, "ann", "Ann");
  await logIn(elsewhere, "ann");
  await ann.reload();
  await ann.getByText("this one").waitFor();
  assert.deepEqual(await seriousFindings(ann), []);
  await ann.getByRole("button", { name: "Make a token…" }).click();
  await ann.getByRole("textbox", { name: "What it is for" }).fill("ci");
  await ann.getByRole("checkbox", { name: "Reading only" }).check();
  await ann.getByRole("button", { name: "Make token" }).click();
  const token = await ann.getByTestId("token").innerText();
  const by = (method, path) => fetch(server.url + api + path, { method, headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await (await by("GET", "/me")).json()).user, "ann");
  assert.equal((await by("POST", "/incidents/INC-1/acknowledge")).status, 403, "it only reads");
  await ann.getByRole("button", { name: "Done" }).click();
  await ann.getByRole("button", { name: "Revoke ci" }).click();
  await eventually("the token is worth nothing", async () => (await by("GET", "/me")).status === 401);
  await ann.getByLabel("Present password").fill("not this one, no");
  await ann.getByLabel("New password").fill("seven purple otters waltz");
  await ann.getByRole("button", { name: "Change the password" }).click();
  await ann.getByRole("alert").filter({ hasText: /password/i }).waitFor();
  await ann.getByLabel("Present password").fill(password);
  await ann.getByRole("button", { name: "Change the password" }).click();
  await ann.getByText("Your password is changed").waitFor();
  await elsewhere.getByRole("link", { name: "Alerts" }).click();
  await elsewhere.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await ann.getByRole("heading", { name: "Sessions" }).waitFor();
  assert.deepEqual(complaints(ann), []);
});

test("one asks, another approves, and it is done once", async () => {
  const admin = await open("/people");
  await logIn(admin, "root", "People");
  assert.equal((await ask(admin, "POST", "/users", { name: "otto", grants: [{ role: "approver" }] })).status, 200);
  const { body: made } = await ask(admin, "POST", "/users/otto/link", {});
  assert.equal((await ask(admin, "POST", "/integrations", { name: "old-pager", kind: "pagerduty" })).status, 200);
  await admin.goto(`${server.url}/integrations/old-pager`);
  await admin.getByRole("button", { name: "Delete…" }).click();
  await admin.getByRole("textbox", { name: "Why" }).fill("nobody sends any more");
  await admin.getByRole("button", { name: "Ask to delete old-pager" }).click();
  await admin.getByRole("dialog").getByText(/your own request/).waitFor();
  assert.equal(await admin.getByRole("button", { name: "Approve", exact: true }).count(), 0, "never one's own");

  const otto = await open("/");
  await otto.goto(server.url + made.path);
  await otto.getByLabel("Password", { exact: true }).fill(password);
  await otto.getByRole("button", { name: "Set the password" }).click();
  await otto.getByRole("link", { name: /Approvals 1/ }).click();
  await otto.getByRole("link", { name: /Delete the integration old-pager/ }).click();
  await otto.getByRole("textbox", { name: "Your reason" }).fill("checked with the team");
  await otto.getByRole("button", { name: "Approve", exact: true }).click();
  await otto.getByRole("dialog").getByText("executed").waitFor();
  await admin.getByRole("dialog").getByText("executed").waitFor();
  assert.equal((await ask(admin, "GET", "/integrations/old-pager")).status, 404);
  assert.deepEqual(complaints(otto), []);
});

test("somebody is deleted and forgotten", async () => {
  const admin = await open("/people?pick=vera");
  await logIn(admin, "root", "People");
  await admin.getByRole("button", { name: "Delete…" }).click();
  const dialog = admin.getByRole("dialog", { name: "Delete vera?" });
  await dialog.getByRole("textbox", { name: "Why" }).fill("left");
  await dialog.getByRole("checkbox", { name: /forget the name/ }).check();
  const button = dialog.getByRole("button", { name: "Delete and forget vera" });
  assert.ok(await button.isDisabled());
  await dialog.getByRole("textbox", { name: "Type vera to confirm" }).fill("vera");
  await button.click();
  await admin.getByText(/vera is forgotten/).waitFor();
  await admin.getByRole("row").filter({ hasText: "ann" }).waitFor();
  assert.equal(await admin.getByRole("row").filter({ hasText: "vera" }).count(), 0);
});
