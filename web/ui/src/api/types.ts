// The API's types under short names. All of them are generated: `npm run gen` after openapi.json changed.
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Incident = Schemas["Incident"];
export type IncidentDetail = Schemas["IncidentDetail"];
export type Alert = Schemas["Alert"];
export type AlertSummary = Schemas["AlertSummary"];
export type Step = Schemas["Step"];
export type Term = Schemas["Term"];
export type Decision = Schemas["Decision"];
export type DeadLetter = Schemas["DeadLetter"];
export type Stats = Schemas["Stats"];
export type Problem = Schemas["Problem"];
export type ActionResult = Schemas["ActionResult"];
export type Integration = Schemas["Integration"];
export type IntegrationDetail = Schemas["IntegrationDetail"];
export type IntegrationEdit = Schemas["IntegrationEdit"];
export type IntegrationMade = Schemas["IntegrationMade"];
export type NewIntegration = Schemas["NewIntegration"];
export type Capture = Schemas["Capture"];
export type Mapper = Schemas["Mapper"];
export type Delivery = Schemas["Delivery"];
export type Window = Schemas["Window"];
export type WindowEdit = Schemas["WindowEdit"];
export type ForgottenSilence = Schemas["ForgottenSilence"];
export type TeeReport = Schemas["TeeReport"];
export type TeeComparison = Schemas["TeeComparison"];
export type Preview = Schemas["Preview"];

export type Severity = Incident["severity"];
export type State = Incident["state"];
export type Disposition = Alert["disposition"];

export const severities: readonly Severity[] = ["critical", "error", "warning", "info", "none"];
export const states: readonly State[] = ["open", "acknowledged", "forming", "resolved", "suppressed"];
export const dispositions: readonly Disposition[] = ["told", "held", "silenced", "inhibited", "flapping", "suppressed"];

export const deliveryStates: readonly Delivery["state"][] = ["pending", "sent", "failed", "muted"];
