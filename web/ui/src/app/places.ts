// The pages of the menu, in its order and in groups. The numbers of the first nine that one may see are their keys. A phone
// has room for few; the others are in a menu there. Some are for certain roles alone.
import { IconActivity, IconBell, IconBellOff, IconCalendarTime, IconChartBar, IconChartLine, IconChecklist, IconCube, IconFlask, IconHeartbeat, IconInbox, IconLayoutDashboard, IconMailX, IconPlug, IconScale, IconSend, IconShieldCheck, IconStethoscope, IconUsers, type Icon } from "@tabler/icons-react";
import { isWhole, type Me } from "../api/session";

interface Place<To extends string> {
  to: To;
  word: string;
  icon: Icon;
  phone?: boolean;
  /** Who may see it; absent: everybody. */
  for?: "admin" | "auditor" | "whole";
  /** Where the pages of its things begin, if not below its own address. */
  things?: readonly string[];
  /** The first of a group. */
  first?: boolean;
}

const place = <To extends string>(to: To, word: string, icon: Icon, more: Omit<Place<To>, "to" | "word" | "icon"> = {}): Place<To> => ({ to, word, icon, ...more });

export const places = [
  place("/", "Incidents", IconInbox, { phone: true, things: ["/incidents/"] }),
  place("/alerts", "Alerts", IconBell, { phone: true }),
  place("/anomalies", "Anomalies", IconActivity),
  place("/explore", "Explore", IconChartLine),
  place("/overview", "Overview", IconLayoutDashboard),
  place("/silences", "Silences", IconBellOff),
  place("/maintenance", "Maintenance", IconCalendarTime),
  place("/deliveries", "Deliveries", IconSend, { for: "whole" }),
  place("/approvals", "Approvals", IconChecklist, { for: "whole" }),
  place("/analytics", "Analytics", IconChartBar, { first: true }),
  place("/tee", "Tee report", IconScale, { for: "whole" }),
  place("/audit", "Audit", IconShieldCheck, { for: "auditor" }),
  place("/experiments", "Experiments", IconFlask, { first: true, things: ["/runs/", "/traces/"] }),
  place("/models", "Models", IconCube),
  place("/integrations", "Integrations", IconPlug, { for: "admin", first: true }),
  place("/heartbeats", "Heartbeats", IconHeartbeat),
  place("/dead-letters", "Dead letters", IconMailX, { for: "admin" }),
  place("/people", "People", IconUsers, { for: "admin" }),
  place("/health", "Health", IconStethoscope),
] as const;

/** The pages that somebody may see. */
export const placesFor = (me: Me | null | undefined) =>
  places.filter((p) => !p.for || me?.admin === true || (p.for === "auditor" && isAuditor(me)) || (p.for === "whole" && isWhole(me)));

const isAuditor = (me: Me | null | undefined): boolean => me?.grants.some((g) => g.role === "approver" && !g.teams?.length) === true;

export type PlaceAddress = (typeof places)[number]["to"];
