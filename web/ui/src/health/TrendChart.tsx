import { formatBytes } from "../kit/bytes";
import { formatDuration } from "../kit/time";
import classes from "./health.module.css";
import type { Trend } from "./query";

const names: Record<Trend["name"], string> = { alerts: "Reports of alerts", lag: "Lag of alerts", deliveries: "Deliveries that wait", commits: "Commits", cpu: "Processor", memory: "Memory" };

/** A value of a trend, in words. */
export function sayValue(trend: Trend, value: number): string {
  if (trend.unit === "bytes") return formatBytes(value);
  if (trend.name === "lag") return `${value.toFixed(value < 10 ? 1 : 0)} s`;
  return `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))} ${trend.unit}`;
}

const [width, height] = [240, 48];

/** A trend of the last hour as a line, with its newest and highest value. */
export function TrendChart({ trend }: { trend: Trend }) {
  const { values } = trend;
  const top = Math.max(...values, 0) || 1;
  const last = values.at(-1);
  const x = (i: number): number => width - (values.length - 1 - i) * (width / 239);
  const line = values.map((v, i) => `${i === 0 ? "M" : "L"}${x(i).toFixed(1)} ${(height - 1 - (v / top) * (height - 4)).toFixed(1)}`).join("");
  const words = last === undefined ? `${names[trend.name]}: no values yet` : `${names[trend.name]}: now ${sayValue(trend, last)}, at most ${sayValue(trend, Math.max(...values))} in the last ${formatDuration(values.length * trend.everySeconds * 1000)}`;
  return (
    <figure className={classes.trend}>
      <figcaption><span>{names[trend.name]}</span><b>{last === undefined ? "" : sayValue(trend, last)}</b></figcaption>
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" role="img" aria-label={words}>
        <path d={`M0 ${height - 0.5}H${width}`} className={classes.base} />
        {values.length > 1 && <path d={`${line}L${width} ${height}L${x(0).toFixed(1)} ${height}Z`} className={classes.area} />}
        {values.length > 1 && <path d={line} className={classes.line} />}
      </svg>
      <p className="dim">{values.length > 1 ? `at most ${sayValue(trend, Math.max(...values))} in the last ${formatDuration(values.length * trend.everySeconds * 1000)}` : "the first values come within a minute"}</p>
    </figure>
  );
}
