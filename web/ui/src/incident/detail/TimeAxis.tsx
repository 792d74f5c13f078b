import { Button } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import type { Alert, IncidentDetail } from "../../api/types";
import { useZone } from "../../kit/settings";
import { useNow } from "../../kit/Time";
import { formatClock } from "../../kit/time";
import { axisOf, readRange, wholeRange, type Range } from "./axis";
import { AxisChart, labelWidth } from "./AxisChart";
import classes from "./detail.module.css";

const bucketWidth = 7;

interface Props {
  incident: IncidentDetail;
  alerts: readonly Alert[];
  complete: boolean;
  from: string | undefined;
  to: string | undefined;
}

/** One time axis: how many fire, what began on which service, and what was done. Dragging zooms the whole page. */
export function TimeAxis({ incident, alerts, complete, from, to }: Props) {
  const { ref, width: measured } = useElementSize();
  const width = measured || 700;
  const now = useNow();
  const zone = useZone();
  const navigate = useNavigate();
  const [drag, setDrag] = useState<{ start: number; end: number }>();
  const [hover, setHover] = useState<number>();
  const running = incident.state !== "resolved";
  const whole = wholeRange(incident.sparkFrom, incident.endedAt ?? incident.sparkTo, now, running);
  const zoomed = readRange(from, to);
  const range = zoomed ?? whole;
  const buckets = Math.max(10, Math.floor((width - labelWidth) / bucketWidth));
  const axis = useMemo(() => axisOf(alerts, { from: range.from, to: range.to }, buckets), [alerts, range.from, range.to, buckets]);
  const zoom = (next: Range | undefined): void => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, from: next && new Date(next.from).toISOString(), to: next && new Date(next.to).toISOString() }) });

  const place = (event: React.PointerEvent): number => Math.min(width, Math.max(labelWidth, event.clientX - event.currentTarget.getBoundingClientRect().left));
  const timeAt = (x: number): number => range.from + ((x - labelWidth) / (width - labelWidth)) * (range.to - range.from);
  const release = (): void => {
    if (drag && Math.abs(drag.end - drag.start) > 8) zoom({ from: timeAt(Math.min(drag.start, drag.end)), to: timeAt(Math.max(drag.start, drag.end)) });
    setDrag(undefined);
  };
  const bucket = hover === undefined ? undefined : Math.min(buckets - 1, Math.floor(((hover - labelWidth) / (width - labelWidth)) * buckets));
  const read = bucket === undefined ? undefined : [
    formatClock(range.from + (bucket * (range.to - range.from)) / buckets, zone, true), `${axis.firing[bucket] ?? 0} firing`,
    ...axis.lanes.filter((l) => (l.counts[bucket] ?? 0) > 0).map((l) => `${l.name} +${l.counts[bucket]}`),
  ].join(" · ");
  const peak = Math.max(0, ...axis.firing);
  const summary = `Alerts by service over time: at most ${peak} firing at once; ${axis.lanes.map((l) => `${l.name} ${l.total}`).join(", ")}.`;

  return (
    <section className={classes.axis} aria-labelledby="axis">
      <div className={classes.axisHead}>
        <h2 id="axis">Over time</h2>
        <span className="dim cut" aria-live="off">{read ?? (complete ? "drag to zoom" : `the first ${alerts.length} alerts; drag to zoom`)}</span>
        <span className={classes.zooms}>
          {running && [5, 15].filter((m) => now - whole.from > m * 60_000).map((m) => <Button key={m} variant="subtle" color="gray" size="compact-xs" onClick={() => zoom({ from: Math.max(whole.from, now - m * 60_000), to: now })}>last {m} min</Button>)}
          {zoomed && <Button variant="default" size="compact-xs" onClick={() => zoom(undefined)}>show all</Button>}
        </span>
      </div>
      <div ref={ref} className={classes.plot} onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); const x = place(event); setDrag({ start: x, end: x }); }}
        onPointerMove={(event) => { const x = place(event); setHover(x); if (drag) setDrag({ ...drag, end: x }); }} onPointerUp={release} onPointerLeave={() => setHover(undefined)}>
        <AxisChart axis={axis} width={width} steps={incident.timeline} zone={zone} summary={summary} hover={hover} drag={drag} />
        {alerts.length > 0 && axis.firing.every((n) => n === 0) && <p className={classes.nothing}>No alert fired in this range.</p>}
      </div>
    </section>
  );
}
