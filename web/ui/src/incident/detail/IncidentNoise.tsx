import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { IncidentDetail } from "../../api/types";
import { formatCount, plural } from "../../kit/numbers";
import { NoiseBar } from "../../kit/NoiseBar";
import { hiddenIn } from "../noise";
import classes from "./detail.module.css";

/** "312 alerts → 1 incident; 9 held back, 2 silenced", each number a link to the alerts it counts. */
export function IncidentNoise({ incident }: { incident: IncidentDetail }) {
  const ends = useMemo(() => [{ id: incident.id, label: incident.title, weight: 1, colour: incident.severity }], [incident.id, incident.title, incident.severity]);
  const hidden = ([["held back", incident.heldBack, "held"], ["silenced", incident.silenced, "silenced"], ["inhibited", incident.inhibited, "inhibited"], ["flapping", incident.flapping, "flapping"]] as const).filter(([, n]) => n > 0);
  const headline = `${plural(incident.alertCount, "alert")} → 1 incident`;
  return (
    <section className={classes.noise} aria-label="What arrived and what was held back">
      <div>
        <p className={classes.headline}><Link to="." search={(old) => ({ ...old, tab: "alerts", q: undefined })} replace>{headline}</Link></p>
        <p className="dim facts">
          <span>{plural(incident.reports, "report")} received</span>
          {hidden.map(([word, n, disposition]) => <span key={word}><Link to="." search={(old) => ({ ...old, tab: "alerts", q: `disposition:${disposition}` })} replace className="link">{formatCount(n)} {word}</Link></span>)}
          {hidden.length === 0 && <span>nothing held back</span>}
        </p>
      </div>
      <NoiseBar spark={incident.spark} total={incident.alertCount} hidden={hiddenIn(incident)} ends={ends} height={52} summary={`${headline}; ${hidden.map(([word, n]) => `${n} ${word}`).join(", ") || "none held back"}`} />
    </section>
  );
}
