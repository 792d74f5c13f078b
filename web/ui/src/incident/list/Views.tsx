import { Link } from "@tanstack/react-router";
import type { Stats } from "../../api/types";
import { formatCount } from "../../kit/numbers";
import { defaultFilter, mineFilter } from "./match";
import { SavedViews } from "../../kit/SavedViews";
import classes from "../../kit/Views.module.css";

/** The usual filters, one click away, with how many incidents each holds. */
export function Views({ q, stats }: { q: string; stats: Stats | undefined }) {
  const n = stats?.incidents;
  const views = [
    { word: "To handle", q: defaultFilter, count: n && n.open + n.acknowledged },
    { word: "Mine", q: mineFilter, count: undefined },
    { word: "Forming", q: "state:forming", count: n?.forming },
    { word: "Resolved", q: "state:resolved", count: n?.resolved },
    { word: "Suppressed", q: "state:suppressed", count: n?.suppressed },
    { word: "All", q: "", count: n && n.open + n.acknowledged + n.forming + n.resolved + n.suppressed },
  ];
  return (
    <div className={classes.views} role="group" aria-label="Views">
      {views.map((view) => (
        <Link key={view.word} to="/" search={{ q: view.q }} className={classes.view} data-on={view.q === q || undefined} aria-current={view.q === q ? "page" : undefined}>
          {view.word}{view.count !== undefined && <span className="dim"> {formatCount(view.count)}</span>}
        </Link>
      ))}
      <SavedViews page="incidents" to="/" q={q} known={views.some((view) => view.q === q)} />
    </div>
  );
}
