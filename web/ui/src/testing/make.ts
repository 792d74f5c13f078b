// Things of the API for tests, with every field set; give only what the test is about.
import type { Alert, Incident, Step } from "../api/types";

const at = "2026-11-24T23:00:00.000Z";

export const makeIncident = (fields: Partial<Incident> = {}): Incident => ({
  id: "INC-1", title: "payment fails", state: "open", severity: "critical", startedAt: at, lastSeenAt: at, alertCount: 3, firingCount: 2, reports: 9,
  heldBack: 0, silenced: 0, inhibited: 0, flapping: 0, entities: [{ kind: "service", name: "payment", alerts: 3 }], services: ["payment"], spark: [3], sparkFrom: at, sparkTo: at, ...fields,
});

export const makeAlert = (fields: Partial<Alert> = {}): Alert => ({
  id: "A1", fingerprint: "00", name: "HighErrorRate", state: "firing", severity: "critical", labels: { alertname: "HighErrorRate", service: "payment" }, annotations: { summary: "payment answers 5xx" },
  generatorURL: "", source: "prometheus", templateKey: "HighErrorRate", startsAt: at, receivedAt: at, lastReceivedAt: at, reports: 1, flaps: 0, incident: "INC-1", disposition: "told",
  entity: { kind: "service", name: "payment" }, why: [], ...fields,
});

export const makeStep = (fields: Partial<Step> = {}): Step => ({
  id: "S1", at, incident: "INC-1", kind: "assign", actor: "engine", text: "1 alert joined.", alerts: ["A1"], alertCount: 1, terms: [], undo: { possible: true }, ...fields,
});
