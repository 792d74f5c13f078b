import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { alertSummaryQuery } from "../api/queries";
import { sayProblem } from "../api/client";
import { formatCount, plural } from "../kit/numbers";
import { asFilter } from "./draft";
import classes from "./silence.module.css";

/** How many of the alerts that fire now a silence would mute. */
export function Preview({ matchers }: { matchers: string[] }) {
  const { data, error } = useQuery({ ...alertSummaryQuery({ state: "firing", match: matchers }), enabled: matchers.length > 0, placeholderData: (old) => old, retry: false });
  if (matchers.length === 0) return <p className="dim">Without a matcher it would mute everything, so one at least is needed.</p>;
  if (error) return <p role="alert" className={classes.error}>{sayProblem(error)}</p>;
  if (!data) return <p className="dim">Counting what it would mute…</p>;
  if (data.alerts === 0) return <p className="dim">No alert that fires now matches. It would mute only what comes.</p>;
  return (
    <div role="status">
      <p>It mutes {plural(data.alerts, "alert")} that {data.alerts === 1 ? "fires" : "fire"} now{data.complete ? "" : " or more"}: {data.names.slice(0, 5).map((n, i) => <span key={n.value}>{i > 0 && ", "}{n.value} <span className="dim">{formatCount(n.count)}</span></span>)}{data.names.length > 5 && " and others"}. <Link to="/alerts" search={{ q: `state:firing ${asFilter(matchers)}` }} className={classes.see}>See them</Link></p>
    </div>
  );
}
