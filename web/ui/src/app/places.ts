// The pages of the menu, in its order. Their number is also their key. A phone has room for few;
// the others are in a menu there. Some are for admins alone.
import { IconBell, IconCalendarTime, IconChartBar, IconChecklist, IconHeartbeat, IconInbox, IconMailX, IconPlug, IconScale, IconSend, IconUsers } from "@tabler/icons-react";

export const places = [
  { to: "/", word: "Incidents", icon: IconInbox, phone: true },
  { to: "/alerts", word: "Alerts", icon: IconBell, phone: true },
  { to: "/deliveries", word: "Deliveries", icon: IconSend, phone: false },
  { to: "/maintenance", word: "Maintenance", icon: IconCalendarTime, phone: false },
  { to: "/approvals", word: "Approvals", icon: IconChecklist, phone: false },
  { to: "/people", word: "People", icon: IconUsers, phone: false, admin: true },
  { to: "/integrations", word: "Integrations", icon: IconPlug, phone: false, admin: true },
  { to: "/heartbeats", word: "Heartbeats", icon: IconHeartbeat, phone: false },
  { to: "/analytics", word: "Analytics", icon: IconChartBar, phone: false },
  { to: "/tee", word: "Tee report", icon: IconScale, phone: false },
  { to: "/dead-letters", word: "Dead letters", icon: IconMailX, phone: false, admin: true },
] as const;

/** The pages that somebody may see. */
export const placesFor = (admin: boolean) => places.filter((p) => admin || !("admin" in p));

export type PlaceAddress = (typeof places)[number]["to"];
