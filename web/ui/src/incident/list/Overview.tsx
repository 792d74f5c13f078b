import { Link } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Incident, Stats } from "../../api/types";
import { formatCount, plural } from "../../kit/numbers";
import { NoiseBar } from "../../kit/NoiseBar";
import { hiddenIn, combineSparks } from "../noise";
import classes from "./list.module.css";

const mostEnds = 12;

/** What arrived against what is left to handle: the noise bar over the incidents listed. */
export function Overview({ rows, stats, complete }: { rows: readonly Incident[]; stats: Stats | undefined; complete: boolean }) {
  const picture = useMemo(() => {
    const sorted = [...rows].sort((a, b) => b.alertCount - a.alertCount);
    return {
      spark: combineSparks(rows),
      total: rows.reduce((n, r) => n + r.alertCount, 0),
      hidden: rows.reduce((n, r) => n + hiddenIn(r), 0),
      ends: sorted.slice(0, mostEnds).map((r) => ({ id: r.id, label: `${r.id}: ${r.title}`, weight: r.alertCount, colour: r.severity })),
    };
  }, [rows]);
  const more = complete ? "" : "+";
  const headline = `${formatCount(picture.total)}${more} ${picture.total === 1 ? "alert" : "alerts"} → ${formatCount(rows.length)}${more} ${rows.length === 1 ? "incident" : "incidents"}`;
  const hidden = stats && ([["held back", stats.alerts.heldBack, "held"], ["silenced", stats.alerts.silenced, "silenced"], ["inhibited", stats.alerts.inhibited, "inhibited"], ["flapping", stats.alerts.flapping, "flapping"]] as const).filter(([, n]) => n > 0);
  return (
    <section className={classes.overview} aria-label="Overview">
      <div className={classes.numbers}>
        <p className={classes.headline}>{headline}</p>
        {stats && (
          <p className="dim facts">
            <span>{plural(stats.alerts.received, "report")} in all</span>
            {hidden?.map(([word, n, disposition]) => <span key={word}><Link to="/alerts" search={{ q: `disposition:${disposition}` }} className="link">{formatCount(n)} {word}</Link></span>)}
          </p>
        )}
      </div>
      <NoiseBar {...picture} summary={`${headline}; of these alerts ${formatCount(picture.hidden)} were held back`} />
    </section>
  );
}
