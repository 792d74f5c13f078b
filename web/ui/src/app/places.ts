// The pages of the menu, in its order. Their number is also their key.
import { IconBell, IconInbox, IconMailX, IconPlug } from "@tabler/icons-react";

export const places = [
  { to: "/", word: "Incidents", icon: IconInbox },
  { to: "/alerts", word: "Alerts", icon: IconBell },
  { to: "/integrations", word: "Integrations", icon: IconPlug },
  { to: "/dead-letters", word: "Dead letters", icon: IconMailX },
] as const;

export type PlaceAddress = (typeof places)[number]["to"];
