import { MultiSelect } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { sayNumber } from "../explore/say";
import { Empty } from "../kit/States";
import { valueOf, type KeyColumn } from "./columns";
import classes from "./experiment.module.css";
import { numberOf, sayValue } from "./groups";
import type { Run } from "./query";
import { scaleOf } from "./Scatter";

const size = { width: 1100, height: 420, side: 70, top: 34, bottom: 16 };
const most = 12;

interface Place { column: KeyColumn; x: number; at: (run: Run) => number | undefined; ticks: { y: number; text: string }[] }

/** A column as an upright axis: numbers by their size, words one above the other. */
function placeOf(column: KeyColumn, runs: readonly Run[], x: number): Place {
  const numbers = runs.map((run) => numberOf(run, column)).filter((v) => v !== undefined);
  const words = [...new Set(runs.map((run) => sayValue(valueOf(run, column))).filter((v) => v !== ""))].sort();
  if (column.kind === "metrics" || numbers.length >= runs.filter((run) => sayValue(valueOf(run, column)) !== "").length) {
    const scale = scaleOf(numbers, size.height - size.bottom, size.top);
    return { column, x, at: (run) => { const v = numberOf(run, column); return v === undefined ? undefined : scale.at(v); }, ticks: scale.ticks.map((t) => ({ y: scale.at(t), text: sayNumber(t) })) };
  }
  const y = (i: number): number => size.height - size.bottom - ((i + 0.5) / words.length) * (size.height - size.bottom - size.top);
  const index = new Map(words.map((w, i) => [w, y(i)]));
  return { column, x, at: (run) => index.get(sayValue(valueOf(run, column))), ticks: words.slice(0, 20).map((w, i) => ({ y: y(i), text: w.length > 14 ? `${w.slice(0, 13)}…` : w })) };
}

/** How params lead to metrics: a line for each run across the chosen columns. */
export function Parallel({ runs, columns }: { runs: readonly Run[]; columns: readonly KeyColumn[] }) {
  const navigate = useNavigate();
  const usual = useMemo(() => {
    const first = runs[0];
    const varies = first ? columns.filter((c) => { const value = valueOf(first, c); return runs.some((run) => valueOf(run, c) !== value); }) : [];
    return [...varies.filter((c) => c.kind === "params").slice(0, 5), ...varies.filter((c) => c.kind === "metrics")].slice(0, 8);
  }, [columns, runs]);
  const [picked, setPicked] = useState<string[]>();
  const chosen = useMemo(() => picked?.map((id) => columns.find((c) => c.id === id)).filter((c) => c !== undefined) ?? usual, [picked, columns, usual]);
  const places = useMemo(() => chosen.map((c, i) => placeOf(c, runs, size.side + (i * (size.width - 2 * size.side)) / Math.max(1, chosen.length - 1))), [chosen, runs]);
  const lines = useMemo(() => runs.map((run) => ({ run, points: places.flatMap((p) => { const y = p.at(run); return y === undefined ? [] : [`${p.x},${y.toFixed(1)}`]; }).join(" ") })).filter((l) => l.points.includes(" ")), [runs, places]);
  if (columns.length < 2) return <Empty title="Nothing to draw">Runs need two params or metrics.</Empty>;
  return (
    <>
      <div className={classes.tools}>
        <MultiSelect size="xs" style={{ flex: 1 }} label="Axes" description={`Up to ${most}, in the order in which they are chosen`} maxValues={most} searchable value={chosen.map((c) => c.id)} onChange={setPicked} data={columns.map((c) => ({ value: c.id, label: `${c.kind}.${c.key}` }))} />
      </div>
      <svg viewBox={`0 0 ${size.width} ${size.height}`} className={classes.drawing} role="img" aria-label={`${lines.length} runs across ${chosen.map((c) => c.key).join(", ")}`}>
        {lines.map(({ run, points }) => (
           
          <polyline key={run.id} points={points} className={classes.line} onClick={() => void navigate({ to: "/runs/$id", params: { id: run.id }, search: {} })}><title>{run.name}</title></polyline>
        ))}
        {places.map((p) => (
          <g key={p.column.id}>
            <line x1={p.x} x2={p.x} y1={size.top} y2={size.height - size.bottom} className={classes.axis} />
            <text x={p.x} y={16} textAnchor="middle" className={classes.label}>{p.column.key.length > 20 ? `${p.column.key.slice(0, 19)}…` : p.column.key}<title>{p.column.key}</title></text>
            {p.ticks.map((t) => <text key={t.text} x={p.x + 5} y={t.y + 4}>{t.text}</text>)}
          </g>
        ))}
      </svg>
    </>
  );
}
