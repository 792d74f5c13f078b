// The state behind the mock server: alerts, incidents, steps, and what the actions do to them.
import { makeAlert, random, services, severities, summarise } from "./data.mjs";

export class Conflict extends Error {}
export class Unknown extends Error {}

const shopFault = ["payment", "checkout", "cart", "orders", "frontend", "gateway", "ledger"];

export class World {
  /** @param {"normal"|"empty"|"huge"} kind */
  constructor(kind) {
    this.alerts = new Map();
    this.incidents = new Map();
    this.steps = new Map();
    this.undoers = new Map();
    this.members = new Map();
    this.deadLetters = [];
    this.next = 1;
    this.nextStep = 1;
    this.listeners = new Set();
    this.random = random(7);
    if (kind !== "empty") this.fill(kind === "huge" ? 10_000 : 24);
  }

  fill(count) {
    const now = Date.now(), rnd = this.random;
    for (let i = 0; i < count; i++) {
      const big = i === count - 1;
      const age = big ? 14 * 60_000 : (count - i) * (count > 100 ? 240_000 : 1_900_000) + rnd() * 600_000;
      const hit = big ? shopFault : [services[i % services.length], services[(i * 7 + 3) % services.length]];
      const ended = !big && i < count * 0.7;
      const n = big ? 312 : count > 100 ? 2 : 3 + Math.floor(rnd() * 40);
      const alerts = Array.from({ length: n }, () => {
        const start = now - age + Math.abs(rnd() + rnd() - 1) * (big ? 600_000 : 400_000);
        return makeAlert(rnd, hit[Math.floor(rnd() * rnd() * hit.length)], Math.min(start, now), now, "", big ? rnd() < 0.8 : !ended);
      });
      const incident = this.open(alerts, big ? { title: "payment: checkout fails for 12 % of requests", severity: "critical" } : {});
      if (ended) Object.assign(incident, { state: "resolved", endedAt: incident.lastSeenAt });
      else if (i % 5 === 1 && !big) Object.assign(incident, { state: "acknowledged", acknowledgedAt: incident.lastSeenAt });
      else if (i % 9 === 4) incident.state = "suppressed";
      else if (i % 9 === 6) Object.assign(incident, { state: "forming", shownAt: undefined });
    }
    for (let i = 0; i < 5; i++) this.deadLetters.push({
      id: `D${i + 1}`, at: new Date(now - i * 3_700_000).toISOString(), receiver: "alertmanager",
      reason: ["labels: name \"bad\\u0000name\" holds a control character; remove it", "startsAt: 2999-01-01T00:00:00Z lies more than 10 min in the future; set the sender's clock"][i % 2],
      payload: JSON.stringify([{ labels: { alertname: "Odd", "bad\u0000name": "x" }, startsAt: "2999-01-01T00:00:00Z" }]),
    });
  }

  emit(name, data) { for (const listener of this.listeners) listener(name, data); }

  step(incident, kind, text, fields = {}, undo) {
    const step = { id: `S${this.nextStep++}`, at: new Date().toISOString(), incident: incident.id, kind, actor: "loopback", text, alerts: [], alertCount: 0, terms: [], undo: undo ? { possible: true } : { possible: false, reason: "A note stays." }, ...fields };
    this.steps.set(step.id, step);
    if (undo) this.undoers.set(step.id, undo);
    this.emit("step", step);
    return step;
  }

  open(alerts, fields = {}) {
    const id = `INC-${this.next++}`;
    const incident = summarise(id, alerts, fields);
    this.incidents.set(id, incident);
    this.members.set(id, alerts);
    for (const a of alerts) { this.alerts.set(a.id, a); a.incident = id; }
    const at = (ms) => ({ at: new Date(Date.parse(incident.startedAt) + ms).toISOString(), actor: "engine" });
    const why = alerts[0]?.why ?? [];
    this.step(incident, "open", `Opened with ${alerts[0]?.name} of ${alerts[0]?.entity.name}.`, { ...at(0), alerts: alerts.slice(0, 1).map((a) => a.id), alertCount: 1, terms: why.slice(0, 2) }, () => { incident.state = "suppressed"; });
    for (let i = 1; i < alerts.length; i += Math.max(1, Math.ceil(alerts.length / 12))) {
      const some = alerts.slice(i, i + Math.ceil(alerts.length / 12));
      this.step(incident, "assign", `${some.length} ${some.length === 1 ? "alert" : "alerts"} of ${some[0].entity.name} joined.`, { ...at(i * 1_500), alerts: some.map((a) => a.id).slice(0, 50), alertCount: some.length, terms: some[0].why }, () => this.move(some, incident, this.open(some)));
    }
    this.step(incident, "show", "Shown: 3 services hit within 30 s.", { ...at(30_000), terms: [{ name: "together", weight: 2.1, detail: "3 services alert within 30 s; alone they do so once in 9 weeks." }] }, () => { incident.state = "suppressed"; });
    this.emit("incident", incident);
    return incident;
  }

  get(id) {
    const incident = this.incidents.get(id);
    if (!incident) throw new Unknown(`There is no incident ${id}.`);
    return incident;
  }

  refresh(incident) {
    const { id, state, title, acknowledgedAt, endedAt, mergedInto, severity } = incident;
    const alerts = this.members.get(id);
    if (alerts.length > 0) Object.assign(incident, summarise(id, alerts, { state, title, acknowledgedAt, endedAt, mergedInto, severity }));
    else Object.assign(incident, { alertCount: 0, firingCount: 0 });
    this.emit("incident", incident);
  }

  move(alerts, from, to) {
    const set = new Set(alerts);
    this.members.set(from.id, this.members.get(from.id).filter((a) => !set.has(a)));
    this.members.set(to.id, [...this.members.get(to.id).filter((a) => !set.has(a)), ...alerts]);
    for (const a of alerts) a.incident = to.id;
    this.refresh(from);
    this.refresh(to);
  }

  act(id, verb, body) {
    const incident = this.get(id), before = { ...incident };
    const back = () => { Object.assign(incident, { state: before.state, acknowledgedAt: before.acknowledgedAt, endedAt: before.endedAt, mergedInto: before.mergedInto }); this.refresh(incident); };
    const now = new Date().toISOString();
    const answer = (step, other) => { this.emit("incident", incident); return { incident, step, ...(other ? { other } : {}) }; };
    switch (verb) {
      case "acknowledge":
        if (incident.state !== "open" && incident.state !== "forming") throw new Conflict(`${id} is ${incident.state}; only an open incident can be acknowledged.`);
        Object.assign(incident, { state: "acknowledged", acknowledgedAt: now });
        return answer(this.step(incident, verb, "Acknowledged.", {}, back));
      case "resolve":
        if (incident.state === "resolved") throw new Conflict(`${id} is resolved already.`);
        Object.assign(incident, { state: "resolved", endedAt: now });
        return answer(this.step(incident, verb, body.reason ? `Resolved: ${body.reason}` : "Resolved.", {}, back));
      case "reopen":
        if (incident.state !== "resolved" && incident.state !== "suppressed") throw new Conflict(`${id} is ${incident.state}; only a resolved or suppressed incident can be reopened.`);
        Object.assign(incident, { state: "open", endedAt: undefined });
        return answer(this.step(incident, verb, "Reopened.", {}, back));
      case "notes": return answer(this.step(incident, "note", body.text));
      case "merge": {
        const from = this.get(body.from[0]), moved = this.members.get(from.id), was = from.state;
        this.move(moved, from, incident);
        Object.assign(from, { state: "resolved", mergedInto: id });
        this.emit("incident", from);
        return answer(this.step(incident, "merge", `${from.id} merged in, ${moved.length} alerts.`, { other: from.id, alertCount: moved.length }, () => { Object.assign(from, { state: was, mergedInto: undefined }); this.move(moved, incident, from); }), from);
      }
      case "split": case "assign": {
        const chosen = body.alerts.map((a) => this.alerts.get(a)).filter(Boolean);
        if (chosen.length === 0) throw new Conflict("No alert was named.");
        const source = this.get(chosen[0].incident);
        if (verb === "assign") {
          this.move(chosen, source, incident);
          return answer(this.step(incident, "assign", `${chosen.length} alerts moved here from ${source.id}.`, { other: source.id, alertCount: chosen.length }, () => this.move(chosen, incident, source)), source);
        }
        const made = this.open(chosen);
        this.move(chosen, incident, made);
        const step = this.step(made, "split", `Split off ${incident.id} by hand: ${chosen.length} alerts.`, { other: id, alertCount: chosen.length }, () => { this.move(chosen, made, incident); made.state = "suppressed"; });
        this.emit("incident", made);
        return { incident: made, step, other: incident };
      }
    }
    throw new Unknown(`There is no action ${verb}.`);
  }

  undo(stepID) {
    const step = this.steps.get(stepID);
    if (!step) throw new Unknown(`There is no step ${stepID}.`);
    if (step.undoneAt) throw new Conflict("This step is undone already.");
    const undo = this.undoers.get(stepID);
    if (!undo) throw new Conflict("A note cannot be undone.");
    undo();
    Object.assign(step, { undoneAt: new Date().toISOString(), undoneBy: "loopback", undo: { possible: false, reason: "Undone already." } });
    const incident = this.incidents.get(step.incident);
    const made = this.step(incident, "undo", `Undone: ${step.text}`, { undo: { possible: false, reason: "Do it again by hand instead." } });
    this.emit("step", step);
    this.emit("incident", incident);
    return { incident, step: made };
  }

  /** What POST /api/v2/alerts does here: all alerts of a service and its namespace form one incident. */
  receive(posted) {
    const now = Date.now();
    const groups = new Map();
    for (const p of posted) {
      const service = p.labels.service ?? p.labels.job ?? "unknown";
      const made = makeAlert(this.random, service, p.startsAt ? Date.parse(p.startsAt) : now, now, "", !p.endsAt);
      const alert = { ...made, name: p.labels.alertname, severity: severities.includes(p.labels.severity) ? p.labels.severity : "none", labels: p.labels, annotations: { summary: `${service}: ${p.labels.alertname}`, ...p.annotations }, disposition: "told" };
      const key = p.labels.cluster ?? "default";
      groups.set(key, [...(groups.get(key) ?? []), alert]);
    }
    for (const alerts of groups.values()) this.open(alerts);
    this.emit("stats", this.stats());
  }

  stats() {
    const alerts = [...this.alerts.values()], incidents = [...this.incidents.values()];
    const by = (list, key, value) => list.filter((x) => x[key] === value).length;
    return {
      alerts: { received: alerts.reduce((n, a) => n + a.reports, 0), distinct: alerts.length, firing: by(alerts, "state", "firing"), told: by(alerts, "disposition", "told"), heldBack: by(alerts, "disposition", "held"), silenced: by(alerts, "disposition", "silenced"), inhibited: by(alerts, "disposition", "inhibited"), flapping: by(alerts, "disposition", "flapping") },
      incidents: Object.fromEntries(["forming", "open", "acknowledged", "resolved", "suppressed"].map((s) => [s, by(incidents, "state", s)])),
      deadLetters: this.deadLetters.length,
    };
  }
}
