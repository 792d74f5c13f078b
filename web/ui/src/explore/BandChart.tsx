import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useZone } from "../kit/settings";
import { formatExact } from "../kit/time";
import classes from "./explore.module.css";
import type { Line } from "./query";
import { sayNumber } from "./say";

interface Props {
  lines: readonly Line[];
  from: number;
  to: number;
  height?: number;
  onZoom?: (from: number, to: number) => void;
}

const sync = uPlot.sync("explore");
const dashes = [[], [6, 3], [2, 3], [9, 3, 2, 3]];

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** All lines on one list of times, as uPlot wants them. */
function align(lines: readonly Line[], band: boolean): uPlot.AlignedData {
  const tables = lines.map((line): uPlot.AlignedData => {
    const times = line.times.map((t) => t / 1000);
    return band ? [times, line.values, line.low ?? [], line.high ?? []] : [times, line.values];
  });
  const earlier = lines.length === 1 ? lines[0]?.earlier : undefined;
  if (earlier) tables.push([earlier.times.map((t) => t / 1000), earlier.values]);
  return tables.length === 1 && tables[0] ? tables[0] : uPlot.join(tables);
}

/** Draws where an anomaly goes on. */
function shade(chart: uPlot, line: Line): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.fillStyle = `${colour("--fl-critical")}33`;
  let start = -1;
  line.alerts.forEach((place, i) => {
    if (start < 0) start = place;
    if (line.alerts[i + 1] === place + 1) return;
    const left = chart.valToPos((line.times[start] ?? 0) / 1000, "x", true);
    const right = chart.valToPos((line.times[place] ?? 0) / 1000, "x", true);
    ctx.fillRect(left - 1.5, bbox.top, Math.max(3, right - left), bbox.height);
    start = -1;
  });
  ctx.restore();
}

/** The times at the axis: hours and minutes, and under the first and each midnight the day. */
const clock = (utc: boolean): uPlot.Axis.DynamicValues => (_u, splits, _i, _space, step) => splits.map((seconds, i) => {
  const iso = new Date(seconds * 1000 - (utc ? 0 : new Date(seconds * 1000).getTimezoneOffset() * 60_000)).toISOString();
  const [day, time] = [iso.slice(5, 10), iso.slice(11, step < 60 ? 19 : 16)];
  if (step >= 86_400) return day;
  return i === 0 || time.startsWith("00:00") ? `${time}\n${day}` : time;
});

function sayChart(lines: readonly Line[], zone: Parameters<typeof formatExact>[1]): string {
  return lines.map((line) => {
    const known = line.values.filter((v) => v !== null);
    const last = known.at(-1);
    if (last === undefined) return `${line.name}: no values in this time`;
    const alerts = line.alerts.length === 0 ? "no anomaly" : `abnormal from ${formatExact(line.times[line.alerts[0] ?? 0] ?? 0, zone)}`;
    return `${line.name}: ${known.length} values, at most ${sayNumber(Math.max(...known))}, at least ${sayNumber(Math.min(...known))}, last ${sayNumber(last)}; ${alerts}`;
  }).join(". ");
}

/** One series with its band of what is usual and its anomalies, or several together. Dragging zooms, on all charts. */
export function BandChart({ lines, from, to, height = 200, onZoom }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const zoom = useRef(onZoom);
  const zone = useZone();
  const single = lines.length === 1 ? lines[0] : undefined;
  const band = single?.low !== undefined;
  const data = useMemo(() => align(lines, band), [lines, band]);
  useEffect(() => { zoom.current = onZoom; }, [onZoom]);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const ink = colour("--mantine-color-text"), faint = colour("--fl-line"), dim = colour("--fl-quiet"), usual = colour("--fl-info");
    const axis = { stroke: dim, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
    const plain = lines.map((line, i) => ({ label: lines.length === 1 ? "value" : line.name, stroke: ink, width: 1.4, dash: dashes[i % dashes.length] ?? [], points: { show: false }, value: (_: uPlot, v: number | null) => sayNumber(v) }));
    const edge = (label: string) => ({ label, stroke: `${usual}80`, width: 0.5, points: { show: false }, value: (_: uPlot, v: number | null) => sayNumber(v) });
    const chart = new uPlot({
      width: element.clientWidth, height, tzDate: (s) => (zone === "utc" ? uPlot.tzDate(new Date(s * 1000), "Etc/UTC") : new Date(s * 1000)),
      cursor: { sync: { key: sync.key }, drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
      scales: { x: { time: true, range: [from / 1000, to / 1000] } },
      axes: [{ ...axis, values: clock(zone === "utc") }, { ...axis, size: 64, values: (_, splits) => splits.map((v) => sayNumber(v)), label: single?.unit, labelSize: single?.unit ? 18 : 0, labelFont: "12px system-ui, sans-serif" }],
      series: [{ label: "at", value: (_: uPlot, t: number | null) => (t === null ? "–" : formatExact(t * 1000, zone)) }, ...plain, ...(band ? [edge("usual from"), edge("usual to")] : []), ...(single?.earlier ? [{ label: single.earlier.name, stroke: dim, width: 1, dash: [4, 3], spanGaps: true, points: { show: false }, value: (_: uPlot, v: number | null) => sayNumber(v) }] : [])],
      bands: band ? [{ series: [3, 2], fill: `${usual}26` }] : [],
      legend: { live: true, show: true },
      hooks: {
        ready: [(u) => { if (data[0].length > 0) u.setLegend({ idx: data[0].length - 1 }); }],
        drawClear: [(u) => { for (const line of lines) shade(u, line); }],
        setSelect: [(u) => {
          if (u.select.width > 8) zoom.current?.(u.posToVal(u.select.left, "x") * 1000, u.posToVal(u.select.left + u.select.width, "x") * 1000);
          u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        }],
      },
    }, data, element);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => { watch.disconnect(); chart.destroy(); };
  }, [data, lines, band, single, from, to, height, zone]);
  const nothing = lines.every((line) => line.times.length === 0);
  return (
    <div className={classes.chart}>
      <div ref={box} role="img" aria-label={sayChart(lines, zone)} />
      {nothing && <p className={classes.nothing}>No values in this time</p>}
    </div>
  );
}
