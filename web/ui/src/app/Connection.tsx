import { IconPlugConnected, IconPlugConnectedX, IconPlug } from "@tabler/icons-react";
import { useSyncExternalStore } from "react";
import { live, type Connection } from "../api/live";
import { useZone } from "../kit/settings";
import { formatClock } from "../kit/time";
import classes from "./Shell.module.css";

export const useConnection = (): Connection => useSyncExternalStore(live.watchConnection, () => live.connection);

const words: Record<Connection, string> = { live: "Live", connecting: "Connecting", lost: "Not live" };

export function ConnectionMark() {
  const connection = useConnection();
  const Icon = connection === "live" ? IconPlugConnected : connection === "lost" ? IconPlugConnectedX : IconPlug;
  return <div className={classes.connection} title={words[connection]}><Icon size={15} stroke={1.8} aria-label={words[connection]} /><span>{words[connection]}</span></div>;
}

/** Says within 3 s that what is shown may be old. */
export function ConnectionBanner() {
  const connection = useConnection();
  const zone = useZone();
  if (connection !== "lost") return null;
  return (
    <div className={classes.banner} role="status">
      <IconPlugConnectedX size={16} aria-hidden />
      {live.lastAt > 0 ? `No live updates since ${formatClock(live.lastAt, zone, true)}. What you see may be old; trying again each second.` : "Live updates do not start; trying again each second."}
    </div>
  );
}
