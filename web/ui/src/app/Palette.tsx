import { useMantineColorScheme } from "@mantine/core";
import { Spotlight, type SpotlightActionData } from "@mantine/spotlight";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { incidentsQuery } from "../api/queries";
import { meQuery } from "../api/session";
import { useActions } from "../incident/actions";
import { useOffered } from "../kit/commands";
import { SeverityMark } from "../kit/Marks";
import { plural } from "../kit/numbers";
import { setZone } from "../kit/settings";
import { placesFor, type PlaceAddress } from "./places";

/** ⌘K: everything that can be done, and every incident that is open. */
export function Palette({ onHelp }: { onHelp: () => void }) {
  const [opened, setOpened] = useState(false);
  const navigate = useNavigate();
  const actions = useActions();
  const offered = useOffered();
  const { data: me } = useQuery(meQuery);
  const { setColorScheme } = useMantineColorScheme();
  const { data } = useInfiniteQuery({ ...incidentsQuery({ state: ["open", "acknowledged"] }), enabled: opened });
  const groups = useMemo(() => {
    const go = (id: string, label: string, to: PlaceAddress | "/integrations/new", q?: string): SpotlightActionData => ({ id, label, onClick: () => void navigate({ to, search: q ? { q } : {} }) });
    const incidents: SpotlightActionData[] = (data?.pages[0]?.items ?? []).slice(0, 100).map((incident) => ({
      id: incident.id, label: incident.title, description: `${incident.id} · ${incident.state} · ${plural(incident.alertCount, "alert")}`,
      keywords: [incident.id, ...incident.services], leftSection: <SeverityMark severity={incident.severity} short />,
      onClick: () => void navigate({ to: "/incidents/$id", params: { id: incident.id }, search: {} }),
    }));
    return [
      { group: "Here", actions: offered.map((c) => ({ id: c.id, label: c.label, description: c.description, onClick: c.run })) },
      { group: "Open incidents", actions: incidents },
      { group: "Go to", actions: [...placesFor(me).map(({ to, word }) => go(`go-${to}`, word, to)), go("go-resolved", "Resolved incidents", "/", "state:resolved"), go("go-critical", "Critical incidents", "/", "state:open,acknowledged severity:critical"), go("go-hidden", "Alerts nobody was told about", "/alerts", "told:no"), go("go-new-integration", "Add an integration", "/integrations/new")] },
      {
        group: "Settings", actions: [
          { id: "undo", label: "Undo the last thing done", onClick: () => actions.undoLast() },
          { id: "light", label: "Light colours", onClick: () => setColorScheme("light") },
          { id: "dark", label: "Dark colours", onClick: () => setColorScheme("dark") },
          { id: "auto", label: "Colours as the system has them", onClick: () => setColorScheme("auto") },
          { id: "utc", label: "Times in UTC", onClick: () => setZone("utc") },
          { id: "local", label: "Times in this computer's zone", onClick: () => setZone("local") },
          { id: "help", label: "Keyboard help", onClick: onHelp },
        ],
      },
    ].filter((group) => group.actions.length > 0);
  }, [actions, data, me, navigate, offered, onHelp, setColorScheme]);
  return (
    <Spotlight actions={groups} shortcut={["mod + K"]} limit={40} scrollable maxHeight={420} highlightQuery overlayProps={{ blur: 0, backgroundOpacity: 0.4 }} nothingFound="Nothing matches" onSpotlightOpen={() => setOpened(true)}
      searchProps={{ placeholder: "Type a command or an incident", "aria-label": "Search commands" }} />
  );
}
