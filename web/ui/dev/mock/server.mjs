// A stateful stand-in for Fairlead's API, for work on the page and for its tests. Never part of the product.
//   node dev/mock/server.mjs [--port 8600] [--world normal|empty|huge] [--serve-dist]
// For tests: POST /__mock {"fail": true|false, "slow": ms, "sse": true|false, "world": "huge"}.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { parseArgs } from "node:util";
import { senders } from "./senders.mjs";
import { Conflict, Unknown, World } from "./world.mjs";

const { values: flags } = parseArgs({ options: { port: { type: "string", default: "8600" }, world: { type: "string", default: "normal" }, "serve-dist": { type: "boolean", default: false } } });
const base = "/api/fairlead/v1";
const dist = new URL("../../dist/", import.meta.url).pathname;
const state = { world: new World(flags.world), fail: false, slow: 0, sse: true };
const streams = new Set();

const send = (res, status, body, type = "application/json") => {
  res.writeHead(status, { "Content-Type": type });
  res.end(body === undefined ? "" : JSON.stringify(body));
};
const problem = (res, status, title, detail) => send(res, status, { title, status, detail, id: "req-7f3a91c2" }, "application/problem+json");

async function body(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  const text = Buffer.concat(parts).toString();
  return text ? JSON.parse(text) : {};
}

function page(items, query, size = 50) {
  const from = Number(query.get("cursor") || 0), limit = Math.min(500, Number(query.get("limit") || size));
  return { items: items.slice(from, from + limit), next: from + limit < items.length ? String(from + limit) : "" };
}

const words = (value) => new Set((value ?? "").split(",").filter(Boolean));

function incidents(query) {
  const wanted = words(query.get("state")), severity = words(query.get("severity")), text = (query.get("q") ?? "").toLowerCase(), since = Date.parse(query.get("since") ?? "") || 0;
  return page([...state.world.incidents.values()]
    .filter((i) => (wanted.size === 0 || wanted.has(i.state)) && (severity.size === 0 || severity.has(i.severity)) && `${i.id} ${i.title} ${i.services.join(" ")}`.toLowerCase().includes(text) && Date.parse(i.lastSeenAt) >= since)
    .sort((a, b) => b.lastSeenAt.localeCompare(a.lastSeenAt) || b.id.localeCompare(a.id)), query);
}

function alerts(query) {
  const text = (query.get("q") ?? "").toLowerCase(), told = query.get("told");
  return page([...state.world.alerts.values()]
    .filter((a) => (!query.get("state") || a.state === query.get("state")) && (!told || (a.disposition === "told") === (told === "yes")) && (!query.get("incident") || a.incident === query.get("incident")) && JSON.stringify([a.labels, a.annotations]).toLowerCase().includes(text))
    .sort((a, b) => b.startsAt.localeCompare(a.startsAt)), query, 200);
}

function decision(alert) {
  const line = (stage, outcome, reason) => ({ at: alert.receivedAt, stage, outcome, reason });
  const told = alert.disposition === "told";
  return {
    alert: alert.id, told,
    summary: told ? `You were told as part of ${alert.incident}, 30 s after it began.` : `You were not told: it is ${alert.disposition}.`,
    lines: [line("receive", "accepted", "Sent by prometheus, 6 labels."), line("normalise", "kept", "severity stays as sent."), line("identity", "new", `Fingerprint ${alert.fingerprint} was not known.`),
      line("dedupe", "episode", `${alert.reports} reports count as one alert.`), line("flap", alert.disposition === "flapping" ? "held" : "passed", alert.disposition === "flapping" ? "Changed 5 times in 10 min; held until it is calm for 5 min." : "Changed 0 times in 10 min."),
      line("silence", alert.disposition === "silenced" ? "silenced" : "passed", alert.disposition === "silenced" ? "Silence 8f2c1d matches service=ledger until 18:00." : "None of 2 silences matches."),
      line("inhibit", alert.disposition === "inhibited" ? "inhibited" : "passed", "No source alert fires."), line("hold", alert.disposition === "held" ? "held" : "passed", "Waited 30 s for others."), line("incident", told ? "told" : "kept", `Joined ${alert.incident}.`)],
  };
}

function events(req, res) {
  if (!state.sse) return problem(res, 503, "Not ready", "Events are switched off.");
  res.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-store" });
  let id = 0;
  const write = (name, data) => res.write(`id: ${++id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  write("ping", { now: new Date().toISOString() });
  const timer = setInterval(() => write("ping", { now: new Date().toISOString() }), 2_000);
  state.world.listeners.add(write);
  streams.add(res);
  req.on("close", () => { clearInterval(timer); streams.delete(res); for (const w of [state.world]) w.listeners.delete(write); });
}

async function api(req, res, url) {
  const parts = url.pathname.slice(base.length + 1).split("/"), query = url.searchParams, world = state.world;
  if (parts[0] === "events") return events(req, res);
  if (state.slow) await new Promise((done) => { setTimeout(done, state.slow); });
  if (state.fail) return problem(res, 503, "The store does not answer", "ops.db: the disk is full. Alerts already accepted are kept; free space and this page works again.");
  const answer = await senders(req, parts, query, world, body);
  if (answer) return send(res, answer.status ?? 200, answer.body);
  const find = (id) => { const a = world.alerts.get(id); if (!a) throw new Unknown(`There is no alert ${id}.`); return a; };
  switch (`${req.method} ${parts[0]} ${parts.length}`) {
    case "GET me 1": return send(res, 200, { user: "loopback", display: "", via: "dev", grants: [], roles: ["admin"], admin: true, readOnly: false, session: "", csrf: "" });
    case "GET incidents 1": return send(res, 200, incidents(query));
    case "GET incidents 2": {
      const incident = world.get(parts[1]);
      return send(res, 200, { ...incident, alerts: world.members.get(incident.id).slice(0, 200), timeline: [...world.steps.values()].filter((s) => s.incident === incident.id).sort((a, b) => a.at.localeCompare(b.at)), causes: [], precedents: [], executions: [], timelineNext: "" });
    }
    case "GET incidents 3": return send(res, 200, page(world.members.get(world.get(parts[1]).id), query, 200));
    case "POST incidents 3": return send(res, 200, world.act(parts[1], parts[2], await body(req)));
    case "POST steps 3": return send(res, 200, world.undo(parts[1]));
    case "GET alerts 1": return send(res, 200, alerts(query));
    case "GET alerts 2": return send(res, 200, find(parts[1]));
    case "GET alerts 3": return send(res, 200, decision(find(parts[1])));
    case "GET dead-letters 1": return send(res, 200, page(world.deadLetters, query));
    case "POST dead-letters 3": {
      const letter = world.deadLetters.find((d) => d.id === parts[1]);
      letter.replayedAt = new Date().toISOString();
      return send(res, 200, parts[1] === "D1" ? { result: "accepted", reason: "" } : { result: "refused", reason: letter.reason });
    }
    case "GET stats 1": return send(res, 200, world.stats());
    case "GET clock 1": return send(res, 200, { mode: "wall", now: new Date().toISOString() });
  }
  throw new Unknown(`There is nothing at ${url.pathname}.`);
}

async function control(req, res) {
  const wanted = await body(req);
  if (wanted.world) { const old = state.world.listeners; state.world = new World(wanted.world); state.world.listeners = old; }
  Object.assign(state, { fail: wanted.fail ?? state.fail, slow: wanted.slow ?? state.slow, sse: wanted.sse ?? state.sse });
  if (!state.sse) for (const stream of streams) stream.destroy();
  send(res, 200, { fail: state.fail, slow: state.slow, sse: state.sse });
}

const types = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async function file(res, url) {
  const name = extname(url.pathname) ? url.pathname : "/index.html";
  const content = await readFile(join(dist, name)).catch(() => undefined);
  if (!content) { res.writeHead(404); res.end(); return; }
  res.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream", "Content-Security-Policy": policy });
  res.end(content);
}

createServer((req, res) => {
  const url = new URL(req.url, "http://mock");
  const answer = async () => {
    if (url.pathname === "/__mock") return control(req, res);
    if (url.pathname === "/api/v2/alerts" && req.method === "POST") { state.world.receive(await body(req)); return send(res, 200); }
    if (url.pathname.startsWith(base)) return api(req, res, url);
    return file(res, url);
  };
  answer().catch((err) => {
    if (err instanceof Unknown) problem(res, 404, "Not found", err.message);
    else if (err instanceof Conflict) problem(res, 409, "Not possible now", err.message);
    else problem(res, 500, "Mock failed", String(err.stack));
  });
}).listen(Number(flags.port), "127.0.0.1", () => process.stdout.write(`mock http://127.0.0.1:${flags.port} (${flags.world})\n`));
