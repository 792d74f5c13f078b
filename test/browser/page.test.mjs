// A person's night with one incident, in a real browser against the real binary. The tests run in order and share one
// server, as one shift does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, afterEach, before, test } from "node:test";
import { eventually, get, openPage, outage, post, sendAlerts, seriousFindings, startBrowser, startServer } from "./harness.mjs";

let server, browser, page;
let first; // the incident of the first outage

before(async () => {
  server = await startServer();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  const complaints = page?.complaints ?? [];
  await page?.context().close();
  page = undefined;
  assert.deepEqual(complaints, [], "the console is silent");
});

const open = async (path, options) => { page = await openPage(browser, server.url, path, options); return page; };
const row = (id) => page.locator(`tr[data-id="${id}"]`);
const state = (id, wanted) => eventually(`${id} is ${wanted}`, async () => (await get(server.url, `/incidents/${id}`)).state === wanted);

test("an empty Fairlead teaches how to connect Prometheus", { skip: Boolean(process.env.FAIRLEAD_URL) }, async () => {
  await open("/");
  await page.getByRole("heading", { name: "No alert has arrived yet" }).waitFor();
  const lines = await page.locator("pre").innerText();
  assert.match(lines, new RegExp(`targets: \\["${server.url.slice(7)}"\\]`));
});

test("the page's types are generated from what this server says of itself", async () => {
  await open("/");
  const ours = JSON.parse(await readFile(new URL("../../web/ui/openapi.json", import.meta.url), "utf8"));
  const theirs = await get(server.url, "/openapi.json");
  ours.info.version = theirs.info.version; // the build's own
  assert.deepEqual(theirs, ours, "fetch /api/fairlead/v1/openapi.json into web/ui/openapi.json and run npm run gen");
});

test("an incident appears live", async () => {
  await open("/");
  await page.getByText("Live", { exact: true }).waitFor();
  await sendAlerts(server.url, outage("alpha"));
  const link = page.locator("tr[data-id] a").first();
  await link.waitFor();
  first = await page.locator("tbody tr[data-id]").first().getAttribute("data-id");
  assert.match(first, /^INC-\d+$/);
  await page.getByText(/6 alerts → 1 incident/).waitFor();
});

test("acknowledge by keyboard, undo within ten seconds", async () => {
  await open("/");
  await row(first).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("e");
  await page.getByText(`Acknowledged ${first}`).waitFor();
  await row(first).getByText("acknowledged").waitFor();
  await state(first, "acknowledged");
  await page.keyboard.press("u");
  await row(first).getByText("open", { exact: true }).waitFor();
  await state(first, "open");
});

test("the incident answers its questions without scrolling", async () => {
  await open("/");
  await row(first).waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/incidents/${first}`);
  for (const text of ["critical", "open", "6 alerts → 1 incident", "firing", "alpha-payment"]) {
    const found = page.getByText(text).first();
    await found.waitFor();
    const { y, height } = await found.boundingBox();
    assert.ok(y >= 0 && y + height <= 900, `${text} is seen without scrolling`);
  }
  await page.getByRole("button", { name: "why?" }).first().click();
  await page.getByText("log-odds").waitFor();
});

test("split two alerts off, then merge them back, then undo the merge in the timeline", async () => {
  await open(`/incidents/${first}?tab=alerts`);
  const boxes = page.getByRole("checkbox", { name: /^Select HighErrorRate/ });
  await boxes.nth(0).check();
  await boxes.nth(1).check();
  await page.getByRole("button", { name: "Split 2 off" }).click();
  await page.getByText(`Split 2 alerts off ${first}`).waitFor();
  await page.getByText("4 alerts → 1 incident").waitFor();
  const { items } = await get(server.url, "/incidents?state=open");
  const second = items.find((i) => i.id !== first && i.alertCount === 2)?.id;
  assert.ok(second, "the two alerts are an incident of their own");

  await page.goto(`${server.url}/`);
  await row(first).getByRole("checkbox").check();
  await row(second).getByRole("checkbox").check();
  await page.getByRole("button", { name: "Merge 2" }).click();
  await page.getByRole("button", { name: `Merge 1 into ${first}` }).click();
  await page.getByText(`Merged ${second} into ${first}`).waitFor();
  await eventually("the alerts are back", async () => (await get(server.url, `/incidents/${first}`)).alertCount === 6);

  await page.goto(`${server.url}/incidents/${first}`);
  const merge = page.locator("li[data-kind=merge]");
  await merge.getByRole("button", { name: /^Undo/ }).click();
  await merge.getByText("undone").waitFor();
  await eventually("the merge is undone", async () => (await get(server.url, `/incidents/${first}`)).alertCount === 4);
  assert.equal((await get(server.url, `/incidents/${second}`)).alertCount, 2);
});

test("a step that is undone elsewhere shows here by itself", async () => {
  await open(`/incidents/${first}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await post(server.url, `/incidents/${first}/notes`, { text: "Rolled back by hand." });
  await page.locator("li[data-kind=note]").getByText("Rolled back by hand.").waitFor();
});

test("the decision record says why one was told", async () => {
  await open(`/incidents/${first}?tab=decisions`);
  const record = page.getByTestId("decision");
  await record.locator("tbody tr").first().waitFor();
  assert.ok((await record.locator("tbody tr").count()) >= 2, "one line per stage");
  assert.match(await record.innerText(), /receive/);
  await page.goto(`${server.url}/incidents/${first}?tab=alerts`);
  await page.locator("tr[data-id] a").first().click();
  await page.getByRole("dialog").getByRole("heading", { name: /Why you were/ }).waitFor();
});

test("resolve, copy as Markdown, reopen", async () => {
  await open(`/incidents/${first}`);
  await page.getByRole("button", { name: /^Resolve/ }).click();
  await state(first, "resolved");
  await page.getByRole("button", { name: "Copy as Markdown" }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /^## .+\n\n\[INC-\d+\]\(http.+\) · critical · resolved/);
  await page.getByRole("button", { name: "Reopen" }).click();
  await state(first, "open");
});

test("new rows do not jump under the pointer: a pill counts them", async () => {
  await open("/");
  await row(first).waitFor();
  const before = await page.locator("tbody tr[data-id]").first().getAttribute("data-id");
  await page.locator("tbody tr[data-id]").first().hover();
  const { items } = await get(server.url, `/incidents/${first}/alerts`);
  await fetch(`${server.url}/api/fairlead/v1/incidents/${first}/split`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ alerts: [items[0].id] }) });
  const pill = page.getByRole("button", { name: "1 new" });
  await pill.waitFor();
  assert.equal(await page.locator("tbody tr[data-id]").first().getAttribute("data-id"), before);
  const rows = await page.locator("tbody tr[data-id]").count();
  await pill.click();
  await eventually("the new row is there", async () => (await page.locator("tbody tr[data-id]").count()) === rows + 1);
});

test("the filter is text in the URL, and survives being typed fast", async () => {
  await open("/?q=");
  await row(first).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("severity:critical alpha ");
  await page.waitForURL((url) => url.searchParams.get("q") === "severity:critical alpha");
  await row(first).waitFor();
  await page.keyboard.type("nothing-like-this ");
  await page.getByRole("heading", { name: "No incident matches" }).waitFor();
});

test("acknowledge from a phone", async () => {
  await open("/", { viewport: { width: 400, height: 800 }, hasTouch: true });
  await row(first).locator("a").tap();
  await page.getByRole("button", { name: "Acknowledge" }).tap();
  await state(first, "acknowledged");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 400), "nothing sticks out sideways");
});

test("dark mode follows the system, and the switch is remembered without a flash", async () => {
  await open("/", { colorScheme: "dark" });
  const scheme = () => page.evaluate(() => document.documentElement.getAttribute("data-mantine-color-scheme"));
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  assert.equal(await scheme(), "dark");
  const dark = await background();
  await page.getByRole("button", { name: "Use light colours" }).click();
  assert.notEqual(await background(), dark);
  await page.reload({ waitUntil: "commit" });
  await page.waitForFunction(() => document.documentElement.hasAttribute("data-mantine-color-scheme"));
  assert.equal(await scheme(), "light", "set before the page is drawn");
});

test("a long timeline shows its earlier steps when asked, and keeps them while new ones come", async () => {
  const note = (text) => post(server.url, `/incidents/${first}/notes`, { text });
  for (let n = 0; n < 230; n++) await note(`note ${n}`);
  await open(`/incidents/${first}`);
  await page.getByText("note 229", { exact: true }).waitFor();
  assert.equal(await page.getByText("note 3", { exact: true }).count(), 0, "the page loads only the newest steps");
  await page.getByRole("button", { name: "Show earlier steps" }).click();
  await page.getByText("note 3", { exact: true }).waitFor();
  await page.locator("li[data-kind=open]").waitFor();
  await note("and one more");
  await page.getByText("and one more", { exact: true }).waitFor();
  const texts = await page.locator("li[data-kind=note] span:first-child").allTextContents();
  for (let n = 0; n < 230; n++) assert.equal(texts.filter((t) => t === `note ${n}`).length, 1, `note ${n} is there once`);
});

test("palette and help open by key and close again", async () => {
  await open("/");
  await row(first).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Type a command or an incident").fill("dead");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/dead-letters");
  await page.getByPlaceholder("Type a command or an incident").waitFor({ state: "hidden" });
  await page.keyboard.press("?");
  await page.getByRole("dialog").getByText("next, previous row").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
});

test("what could not be read is a dead letter with its reason", async () => {
  await fetch(`${server.url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '[{"labels":{"alertname":"Bad"},"startsAt":"2999-01-01T00:00:00Z"}]' });
  await open("/dead-letters");
  await page.locator("tr[data-id] a").first().click();
  await page.getByRole("dialog").getByText("2999-01-01").first().waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Replay" }).click();
  await page.getByText("was refused again").waitFor();
});

test("an unknown incident says so, with what to do", async () => {
  page = await openPage(browser, server.url, "/incidents/INC-999999");
  await page.getByRole("alert").getByText(/INC-999999/).waitFor();
  page.complaints = page.complaints.filter((text) => !text.includes("404")); // the browser itself reports the answer
});

test("a lost connection shows and heals itself", { skip: Boolean(process.env.FAIRLEAD_URL) }, async () => {
  await open("/");
  await page.getByText("Live", { exact: true }).waitFor();
  process.kill(server.pid, "SIGSTOP");
  try {
    await page.getByText(/No live updates since/).waitFor(); // three seconds by the page's own clock, which a test of the page checks
  } finally {
    process.kill(server.pid, "SIGCONT");
  }
  await page.getByText(/No live updates since/).waitFor({ state: "hidden" });
  await page.getByText("Live", { exact: true }).waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  test(`axe finds nothing serious in ${colorScheme}`, async () => {
    await open("/", { colorScheme });
    const found = {};
    const look = async (path, ready) => {
      await page.goto(server.url + path);
      await ready();
      const findings = await seriousFindings(page);
      if (findings.length > 0) found[path] = findings;
    };
    await look("/?q=", () => row(first).waitFor());
    await look(`/incidents/${first}`, () => page.locator("li[data-step]").first().waitFor());
    await look(`/incidents/${first}?tab=alerts`, () => page.locator("tbody tr[data-id]").first().waitFor());
    await look(`/incidents/${first}?tab=decisions`, () => page.getByTestId("decision").waitFor());
    await look("/alerts", () => page.locator("tbody tr[data-id]").first().waitFor());
    await look("/alerts?q=nothing-like-this", () => page.getByRole("heading", { name: "No alert matches" }).waitFor());
    await look("/dead-letters", () => page.locator("tbody tr[data-id]").first().waitFor());
    await look("/dev/kit", () => page.getByRole("heading", { name: "Failure" }).waitFor());
    assert.deepEqual(found, {});
  });
}
