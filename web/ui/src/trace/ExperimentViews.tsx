import { Link } from "@tanstack/react-router";
import views from "../kit/Views.module.css";

/** What of an experiment is looked at. */
export function ExperimentViews({ id, on }: { id: string; on: "runs" | "traces" }) {
  const mark = (of: "runs" | "traces") => ({ className: views.view, "data-on": of === on || undefined, "aria-current": of === on ? ("page" as const) : undefined });
  return (
    <div className={views.views} style={{ margin: 0 }} role="group" aria-label="Views">
      <Link to="/experiments/$id" params={{ id }} search={{}} {...mark("runs")}>Runs</Link>
      <Link to="/experiments/$id/traces" params={{ id }} search={{}} {...mark("traces")}>Traces</Link>
    </div>
  );
}
