// Takes pictures of pages, for looking at them. node dev/shots.mjs OUT BASE NAME=PATH... [--dark] [--width 400] [--height 900] [--do JS]
import { chromium } from "playwright-core";
import { parseArgs } from "node:util";

const { values, positionals: [out, base, ...pages] } = parseArgs({ allowPositionals: true, options: { dark: { type: "boolean" }, width: { type: "string", default: "1440" }, height: { type: "string", default: "900" }, wait: { type: "string", default: "900" }, keys: { type: "string" } } });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });
const page = await browser.newPage({ viewport: { width: Number(values.width), height: Number(values.height) }, colorScheme: values.dark ? "dark" : "light", timezoneId: "Europe/Berlin" });
page.on("console", (m) => { if (m.type() === "error" || m.type() === "warning") process.stdout.write(`console ${m.type()}: ${m.text()}\n`); });
page.on("pageerror", (e) => process.stdout.write(`page error: ${e.stack}\n`));
for (const each of pages) {
  const [name, path] = [each.slice(0, each.indexOf("=")), each.slice(each.indexOf("=") + 1)];
  await page.goto(base + path);
  await page.waitForTimeout(Number(values.wait));
  for (const key of values.keys?.split(" ") ?? []) { await page.keyboard.press(key); await page.waitForTimeout(150); }
  await page.screenshot({ path: `${out}/${name}.png` });
}
await browser.close();
