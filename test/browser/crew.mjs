// The people of a closed server, in tests: each sets a password through a one-time link and keeps a session.
import assert from "node:assert/strict";
import { api, eventually, openPage } from "./harness.mjs";

export const password = "correct horse battery staple";

/** Opens a one-time link in a page: that sets a password and logs in. */
const openLink = (page, link, name) => page.evaluate(async ([address, body]) => {
  const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
}, [`${api}/links/open`, { link, password, ...(name ? { name } : {}) }]);

/** Sends a request as the page does: with its cookie and what it shows with changes. */
export const ask = (page, method, path, body) => page.evaluate(async ([address, how, content]) => {
  const me = await (await fetch("/api/fairlead/v1/me")).json();
  const answer = await fetch(address, { method: how, headers: { "Content-Type": "application/json", "Fairlead-CSRF": me.csrf }, body: content && JSON.stringify(content) });
  return { status: answer.status, body: await answer.json().catch(() => null) };
}, [api + path, method, body]);

/** Makes root, the first admin, and others with their display names and grants; answers with the session of each. */
export async function crew(server, browser, others) {
  const link = await eventually("the link is printed", async () => /#link=([A-Za-z0-9_-]+)/.exec(server.log())?.[1]);
  const root = await openPage(browser, server.url);
  await openLink(root, link, "root");
  const sessions = { root: await root.context().storageState() };
  for (const [name, { display, grants }] of Object.entries(others)) {
    const made = await ask(root, "POST", "/users", { name, display, grants, reason: "a test" });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const theirs = await openPage(browser, server.url);
    await openLink(theirs, made.body.link.path.split("#link=")[1]);
    sessions[name] = await theirs.context().storageState();
    await theirs.context().close();
  }
  await root.context().close();
  return sessions;
}
