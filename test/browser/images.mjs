// Takes the pictures of docs/images from `fairlead demo`, each page in light and dark. node test/browser/images.mjs
import { mkdir } from "node:fs/promises";
import { eventually, get, openPage, startBrowser, startServer } from "./harness.mjs";

const out = new URL("../../docs/images/", import.meta.url).pathname;
const server = await startServer("demo");
const browser = await startBrowser();
try {
  await mkdir(out, { recursive: true });
  const big = await eventually("the bad deploy is an incident of 200 alerts", async () => (await get(server.url, "/incidents?state=open")).items.find((i) => i.alertCount >= 200), 90_000);
  await eventually("it has grown and spread", async () => Date.now() - Date.parse((await get(server.url, `/incidents/${big.id}`)).startedAt) > 45_000, 90_000);
  await fetch(`${server.url}/api/v2/alerts`, { method: "POST", headers: { "Content-Type": "application/json" }, body: '[{"labels":{"alertname":"DiskWillFill","instance":"db-1"},"startsAt":"2999-01-01T00:00:00Z"}]' });
  const pages = { incidents: "/", incident: `/incidents/${big.id}`, "incident-alerts": `/incidents/${big.id}?tab=alerts`, "incident-decisions": `/incidents/${big.id}?tab=decisions`, alerts: "/alerts", "dead-letters": "/dead-letters", kit: "/dev/kit" };
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, path] of Object.entries(pages)) {
      const page = await openPage(browser, server.url, path, { colorScheme, viewport: { width: 1280, height: 800 }, timezoneId: "UTC" });
      if (name !== "kit") await page.locator("[role=status][aria-label^=Loading]").first().waitFor({ state: "detached" });
      await page.waitForTimeout(600);
      await page.screenshot({ path: `${out}${name}-${colorScheme}.png` });
      await page.context().close();
    }
  }
  const phone = await openPage(browser, server.url, `/incidents/${big.id}`, { viewport: { width: 400, height: 800 } });
  await phone.waitForTimeout(800);
  await phone.screenshot({ path: `${out}incident-phone.png` });
} finally {
  await browser.close();
  await server.stop();
}
