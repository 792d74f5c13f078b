import { SegmentedControl, TextInput } from "@mantine/core";
import { useIntersection } from "@mantine/hooks";
import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Empty } from "../kit/States";
import classes from "./experiment.module.css";
import { MetricChart, type Axis } from "./MetricChart";
import { historyQuery, isLive, type Run } from "./query";

interface Props {
  runs: readonly Run[];
}

/** A chart for each metric of some runs; those of running ones go on by themselves. */
export function MetricCharts({ runs }: Props) {
  const [axis, setAxis] = useState<Axis>("step");
  const [text, setText] = useState("");
  const keys = useMemo(() => [...new Set(runs.flatMap((run) => Object.keys(run.metrics)))].sort(), [runs]);
  const fitting = keys.filter((k) => k.toLowerCase().includes(text.toLowerCase()));
  if (keys.length === 0) return <Empty title="No metrics yet">A chart is drawn for each metric as soon as its first value comes.</Empty>;
  return (
    <>
      <div className={classes.tools}>
        <TextInput size="xs" aria-label="Metric contains" placeholder={`Metric contains (${keys.length})`} value={text} onChange={(event) => setText(event.currentTarget.value)} />
        <SegmentedControl size="xs" aria-label="Across" value={axis} onChange={(v) => setAxis(v === "time" ? "time" : "step")} data={[{ value: "step", label: "By step" }, { value: "time", label: "By time" }]} />
      </div>
      {fitting.length === 0 && <p className="dim">No metric has such a name.</p>}
      <div className={classes.charts}>{fitting.map((key) => <One key={key} metric={key} runs={runs} axis={axis} />)}</div>
    </>
  );
}

/** Asks for the values when it comes into view. */
function One({ metric, runs, axis }: { metric: string; runs: readonly Run[]; axis: Axis }) {
  const { ref, entry } = useIntersection({ rootMargin: "200px" });
  const [wanted, setWanted] = useState(false);
  if (entry?.isIntersecting && !wanted) setWanted(true);
  const having = useMemo(() => runs.filter((run) => metric in run.metrics), [runs, metric]);
  const lines = useQueries({
    queries: having.map((run) => ({ ...historyQuery(run.id, metric, isLive(run)), enabled: wanted })),
    combine: (results) => results.map((r, i) => ({ name: having[i]?.name ?? "", points: r.data?.points ?? [], total: r.data?.total ?? 0 })),
  });
  const total = lines.reduce((sum, line) => sum + line.total, 0), shown = lines.reduce((sum, line) => sum + line.points.length, 0);
  return (
    <figure ref={ref} className={classes.figure}>
      <figcaption className="mono">{metric}{shown < total && <span className="dim"> {shown} of {total} values, with every peak</span>}</figcaption>
      {wanted ? <MetricChart label={metric} lines={lines} axis={axis} /> : <div style={{ height: 200 }} />}
    </figure>
  );
}
