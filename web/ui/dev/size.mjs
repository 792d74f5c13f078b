// Fails when the JavaScript that the page loads at start is over 400 kB gzipped. Reads the built index.html.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const dist = new URL("../dist/", import.meta.url);
const html = readFileSync(new URL("index.html", dist), "utf8");
const names = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map((m) => m[1]);
let scripts = 0;
for (const name of names) {
  const size = gzipSync(readFileSync(new URL(name, dist)), { level: 9 }).length;
  if (name.endsWith(".js")) scripts += size;
  process.stdout.write(`${(size / 1000).toFixed(1).padStart(7)} kB  ${name}\n`);
}
process.stdout.write(`${(scripts / 1000).toFixed(1).padStart(7)} kB  JavaScript at start, gzipped (limit 400)\n`);
process.exit(scripts > 400_000 ? 1 : 0);
