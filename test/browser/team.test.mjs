// Two people at the same incidents: who owns what, who is named in a note, and the filters that they keep.
import assert from "node:assert/strict";
import { after, afterEach, before, test } from "node:test";
import { ask, crew } from "./crew.mjs";
import { eventually, openPage, outage, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser, sessions;
const pages = [];
const service = "team";

before(async () => {
  server = await startServer("closed");
  browser = await startBrowser();
  const grants = [{ role: "responder" }];
  sessions = await crew(server, browser, { ann: { display: "Ann Weber", grants }, bob: { display: "Bob", grants } });
  await sendAlerts(server.url, outage(service));
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});

async function open(path = "/", name = undefined) {
  const page = await openPage(browser, server.url, path, name ? { storageState: sessions[name] } : {});
  pages.push(page);
  return page;
}

const row = (page) => page.getByRole("row").filter({ hasText: `${service}-` }).first();

test("an incident is given to somebody, by keys alone, and found among what is hers", async () => {
  const bob = await open("/", "bob");
  const ann = await open("/?q=state:open,acknowledged+owner:me", "ann");
  await ann.getByText("No incident matches").waitFor();
  await row(bob).waitFor();
  await bob.keyboard.press("j");
  await bob.keyboard.press("a");
  await bob.getByRole("dialog", { name: /Give INC-\d+ to/ }).waitFor();
  assert.deepEqual(await seriousFindings(bob), []);
  await bob.getByRole("textbox", { name: "Find somebody" }).fill("weber");
  await bob.getByRole("radio", { name: "Ann Weber (ann)" }).waitFor();
  await bob.keyboard.press("Enter");
  await bob.getByText(/Gave INC-\d+ to ann/).waitFor();
  await row(bob).getByText("ann", { exact: true }).waitFor();
  await row(ann).waitFor();
  await bob.keyboard.press("u");
  await row(bob).getByText("nobody", { exact: true }).waitFor();
  assert.deepEqual([...bob.complaints, ...ann.complaints], []);
});

test("several are taken at once, and the header says whose it is", async () => {
  const ann = await open("/", "ann");
  await row(ann).waitFor();
  await ann.keyboard.press("j");
  await ann.keyboard.press("x");
  await ann.getByRole("toolbar", { name: "Actions on the selection" }).getByRole("button", { name: /Give 1 to/ }).click();
  await ann.getByRole("button", { name: "Take", exact: true }).click();
  await ann.getByText(/Took INC-\d+/).waitFor();
  await row(ann).click();
  await ann.getByText("yours", { exact: true }).waitFor();
  await ann.getByText("Taken by ann", { exact: true }).waitFor();
  assert.deepEqual(ann.complaints, []);
});

test("whoever is named in a note is told", async () => {
  const bob = await open("/", "bob");
  const ann = await open("/alerts", "ann");
  await ann.getByRole("button", { name: "Mentions", exact: true }).waitFor();
  await row(bob).click();
  const note = bob.getByRole("textbox", { name: "Note" });
  await note.pressSequentially("Looks like the pool, @an");
  await bob.getByRole("option", { name: /ann/ }).waitFor();
  assert.deepEqual(await seriousFindings(bob), []);
  await bob.keyboard.press("ArrowDown");
  await bob.keyboard.press("Enter");
  await note.pressSequentially("please look");
  assert.equal(await note.inputValue(), "Looks like the pool, @ann please look");
  await bob.keyboard.press("Control+Enter");
  await bob.getByRole("listitem").filter({ hasText: "Looks like the pool, @ann please look" }).waitFor();
  await ann.getByRole("button", { name: "Mentions: 1 new one" }).click();
  assert.deepEqual(await seriousFindings(ann), []);
  await ann.getByRole("dialog", { name: "Mentions" }).getByRole("link", { name: /Looks like the pool/ }).click();
  await ann.getByRole("listitem").filter({ hasText: "please look" }).waitFor();
  await ann.getByRole("button", { name: "Mentions", exact: true }).waitFor();
  assert.deepEqual([...bob.complaints, ...ann.complaints], []);
});

test("a filter is kept as a view, shared, and deleted", async () => {
  const ann = await open("/?q=severity:critical+team", "ann");
  await ann.getByRole("button", { name: "Save view" }).click();
  await ann.getByRole("textbox", { name: "Name of the view" }).fill("Ours, burning");
  await ann.getByRole("checkbox", { name: "All see it" }).check();
  await ann.keyboard.press("Enter");
  await ann.getByRole("link", { name: "Ours, burning" }).waitFor();
  assert.equal(await ann.getByRole("link", { name: "Ours, burning" }).getAttribute("aria-current"), "page");
  const bob = await open("/", "bob");
  await bob.getByRole("link", { name: /Ours, burning/ }).click();
  assert.equal(new URL(bob.url()).searchParams.get("q"), "severity:critical team");
  assert.equal(await bob.getByRole("button", { name: /Change the view/ }).count(), 0, "only its owner changes it");
  await ann.getByRole("button", { name: "Change the view Ours, burning" }).click();
  await ann.getByRole("menuitem", { name: "Delete the view" }).click();
  await ann.getByRole("link", { name: "Ours, burning" }).waitFor({ state: "detached" });
  assert.deepEqual(ann.complaints, []);
});

test("alerts are explored: values, matchers and a range narrow the list, and the address keeps it", async () => {
  const bob = await open("/alerts", "bob");
  const count = async (n) => bob.locator("[aria-live=polite]").filter({ hasText: new RegExp(`^${n}$`) }).waitFor();
  await count(6);
  assert.deepEqual(await seriousFindings(bob), []);
  await bob.getByRole("group", { name: "Severity" }).getByRole("button", { name: /critical/ }).click();
  await count(2);
  await bob.getByRole("group", { name: "Severity" }).getByRole("button", { name: /critical/ }).click();
  await count(6);
  await bob.getByRole("textbox", { name: "Filter alerts" }).fill("pod=~.*-[0-2] service!=team-checkout");
  await count(2);
  assert.equal(new URL(bob.url()).searchParams.get("q"), "pod=~.*-[0-2] service!=team-checkout");
  await bob.getByRole("textbox", { name: "Filter alerts" }).fill("pod=~[");
  await bob.getByRole("alert").filter({ hasText: "query.match" }).waitFor();
  await bob.getByRole("textbox", { name: "Filter alerts" }).fill("");
  await count(6);
  await bob.getByRole("img", { name: /6 alerts began between/ }).click();
  await eventually("the range is in the address", async () => new URL(bob.url()).searchParams.get("from"));
  await bob.reload();
  await bob.getByRole("button", { name: "all times" }).click();
  await count(6);
  assert.deepEqual(bob.complaints.filter((text) => !/status of 422/.test(text)), []);
});
