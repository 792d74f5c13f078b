import type { Step } from "../../api/types";
import type { Zone } from "../../kit/settings";
import { formatClock, formatDay, ticks } from "../../kit/time";
import type { Axis } from "./axis";
import classes from "./detail.module.css";

export const labelWidth = 136;
const firingHeight = 48;
const laneHeight = 20;
const stepsHeight = 22;
const axisHeight = 20;

interface Props {
  axis: Axis;
  width: number;
  steps: readonly Step[];
  zone: Zone;
  summary: string;
  hover: number | undefined;
  drag: { start: number; end: number } | undefined;
}

/** Only what people did, or what changed the incident as a whole; alerts that joined are in the lanes already. */
const isMark = (step: Step): boolean => step.kind !== "assign" || step.actor !== "engine";

/** The name as far as it fits beside the number; 6.9 px is how wide a letter is at 12 px, on average. */
function cutName(name: string, total: number): string {
  const room = Math.floor((labelWidth - 16 - String(total).length * 7) / 6.9);
  return name.length > room ? `${name.slice(0, room - 1)}…` : name;
}

export function AxisChart({ axis, width, steps, zone, summary, hover, drag }: Props) {
  const { range, lanes, firing } = axis;
  const inner = width - labelWidth;
  const x = (t: number): number => labelWidth + ((t - range.from) / (range.to - range.from)) * inner;
  const step = inner / Math.max(1, firing.length);
  const peak = Math.max(1, ...firing);
  const level = (n: number): number => firingHeight - (n / peak) * (firingHeight - 6);
  const area = firing.map((n, i) => `${i === 0 ? "M" : "L"}${(labelWidth + i * step).toFixed(1)} ${level(n).toFixed(1)}h${step.toFixed(1)}`).join("");
  const lanesTop = firingHeight + 6;
  const stepsTop = lanesTop + lanes.length * laneHeight;
  const height = stepsTop + stepsHeight + axisHeight;
  const laneTop = Math.max(1, ...lanes.flatMap((l) => l.counts));
  const long = range.to - range.from > 20 * 3_600_000;
  const marks = steps.filter(isMark).map((s) => ({ ...s, x: x(Date.parse(s.at)) })).filter((s) => s.x >= labelWidth && s.x <= width);
  return (
    <svg width={width} height={height} role="img" aria-label={summary} className={classes.chart}>
      <text x={0} y={16}>firing</text>
      <text x={labelWidth - 8} y={14} textAnchor="end" className={classes.unit}>{peak} at most</text>
      <path d={`${area}V${firingHeight}H${labelWidth}Z`} className={classes.area} />
      <path d={area} className={classes.edge} />
      <path d={`M${labelWidth} ${firingHeight}H${width}`} className={classes.base} />
      {lanes.map((lane, i) => {
        const y = lanesTop + i * laneHeight;
        return (
          <g key={lane.name}>
            <text x={0} y={y + 14}><title>{lane.name}</title>{cutName(lane.name, lane.total)}</text>
            <text x={labelWidth - 8} y={y + 14} textAnchor="end" className={classes.unit}>{lane.total}</text>
            {lane.counts.map((n, k) => n > 0 && <rect key={k} x={labelWidth + k * step} y={y + 3} width={Math.max(1.5, step - 1)} height={laneHeight - 6} className={classes.cell} style={{ opacity: 0.25 + 0.75 * Math.sqrt(n / laneTop) }} />)}
          </g>
        );
      })}
      <text x={0} y={stepsTop + 15}>steps</text>
      {marks.map((s) => (
        <g key={s.id} transform={`translate(${s.x.toFixed(1)} ${stepsTop + 11})`} className={s.undoneAt ? classes.undoneMark : undefined}>
          {s.actor === "engine" ? <circle r={3.5} className={classes.engineMark} /> : <path d="M0 -5L5 4H-5Z" className={classes.personMark} />}
          <title>{`${s.text} (${s.actor})`}</title>
        </g>
      ))}
      {ticks(range.from, range.to, Math.max(2, Math.floor(inner / 90))).map((t) => (
        <g key={t}>
          <path d={`M${x(t).toFixed(1)} 0V${height - axisHeight + 3}`} className={classes.grid} />
          <text x={x(t)} y={height - 4} textAnchor={x(t) > width - 30 ? "end" : "middle"} className={classes.unit}>{long ? `${formatDay(t, zone)} ` : ""}{formatClock(t, zone, range.to - range.from < 180_000)}</text>
        </g>
      ))}
      {hover !== undefined && !drag && <path d={`M${hover} 0V${height - axisHeight}`} className={classes.cross} />}
      {drag && <rect x={Math.min(drag.start, drag.end)} y={0} width={Math.abs(drag.end - drag.start)} height={height - axisHeight} className={classes.brush} />}
    </svg>
  );
}
