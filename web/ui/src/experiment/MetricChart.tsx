import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import exploreClasses from "../explore/explore.module.css";
import { sayNumber } from "../explore/say";
import type { MetricHistory } from "./query";

/** How one run went. */
export interface RunLine { name: string; points: MetricHistory["points"] }

export type Axis = "step" | "time";

const dashes = [[], [6, 3], [2, 3], [9, 3, 2, 3], [12, 4], [1, 2]];
const sync = uPlot.sync("runs");

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** All lines on one list of steps, or of seconds since each began. */
function align(lines: readonly RunLine[], axis: Axis): uPlot.AlignedData {
  const tables = lines.map(({ points }): uPlot.AlignedData => {
    const start = points[0] ? Date.parse(points[0].at) : 0;
    const rows = points.map((p): [number, number | null] => [axis === "step" ? p.step : (Date.parse(p.at) - start) / 1000, p.value]).sort((a, b) => a[0] - b[0]);
    const once = rows.filter((row, i) => rows[i + 1]?.[0] !== row[0]); // the last of those with one step counts
    return [once.map((r) => r[0]), once.map((r) => r[1])];
  });
  return tables.length === 1 && tables[0] ? tables[0] : uPlot.join(tables);
}

/** One metric of one or several runs. The line nearest to the pointer stands out. */
export function MetricChart({ label, lines, axis, height = 200 }: { label: string; lines: readonly RunLine[]; axis: Axis; height?: number }) {
  const box = useRef<HTMLDivElement>(null);
  const data = useMemo(() => align(lines, axis), [lines, axis]);
  const names = lines.map((line) => line.name).join("\n");
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const ink = colour("--mantine-color-text"), faint = colour("--fl-line"), dim = colour("--fl-quiet");
    const style = { stroke: dim, grid: { stroke: faint, width: 1 }, ticks: { stroke: faint, width: 1, size: 4 }, font: "12px system-ui, sans-serif" };
    const list = names.split("\n");
    const chart = new uPlot({
      width: element.clientWidth, height,
      cursor: { sync: { key: sync.key }, focus: { prox: 24 }, points: { size: 6 } }, focus: { alpha: list.length > 1 ? 0.25 : 1 },
      scales: { x: { time: false } },
      axes: [{ ...style }, { ...style, size: 60, values: (_, splits) => splits.map((v) => sayNumber(v)) }],
      series: [{ label: axis === "step" ? "step" : "seconds", value: (_: uPlot, v: number | null) => (v === null ? "–" : sayNumber(v)) }, ...list.map((name, i) => ({ label: name, stroke: i < dashes.length ? ink : dim, width: 1.4, dash: dashes[i % dashes.length] ?? [], spanGaps: true, points: { show: data[0].length < 2 }, value: (_: uPlot, v: number | null) => sayNumber(v) }))],
      legend: { live: true, show: true },
    }, data, element);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height }));
    watch.observe(element);
    return () => { watch.disconnect(); chart.destroy(); };
  }, [data, names, axis, height]);
  return <div className={exploreClasses.chart}><div ref={box} role="img" aria-label={sayLines(label, lines)} /></div>;
}

function sayLines(label: string, lines: readonly RunLine[]): string {
  return `${label}. ${lines.map((line) => {
    const known = line.points.map((p) => p.value).filter((v) => v !== null);
    const last = known.at(-1);
    return last === undefined ? `${line.name}: no values` : `${line.name}: last ${sayNumber(last)}, from ${sayNumber(Math.min(...known))} to ${sayNumber(Math.max(...known))}`;
  }).join("; ")}`;
}
