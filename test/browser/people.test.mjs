// A team without --dev: the first link makes an admin, who lets a second person in; roles show in the page; a session that
// ends is begun anew above it.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { api, eventually, openPage, outage, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser;
const pages = [];
const password = "correct horse battery staple";

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

async function logIn(page, name) {
  await page.getByLabel("Name").fill(name);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in", exact: true }).click();
  await page.getByRole("heading", { level: 1, name: /Incidents/ }).waitFor();
}

/** Sends a request as the page does: with its cookie and what it shows with changes. */
const ask = (page, method, path, body) => page.evaluate(async ([address, how, content]) => {
  const me = await (await fetch("/api/fairlead/v1/me")).json();
  const answer = await fetch(address, { method: how, headers: { "Content-Type": "application/json", "Fairlead-CSRF": me.csrf }, body: content && JSON.stringify(content) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}, [api + path, method, body]);

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
