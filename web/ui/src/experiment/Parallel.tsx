import { Button, MultiSelect } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { sayNumber } from "../explore/say";
import { formatCount, plural } from "../kit/numbers";
import { Empty } from "../kit/States";
import { isWithin, withBand, type Bands } from "./bands";
import { valueOf, type KeyColumn } from "./columns";
import classes from "./experiment.module.css";
import { numberOf, sayValue } from "./groups";
import { ParallelAxis } from "./ParallelAxis";
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

interface Props { runs: readonly Run[]; columns: readonly KeyColumn[]; onChoose: (ids: ReadonlySet<string>) => void }

/** How params lead to metrics: a line for each run across the chosen columns. Ranges on the axes leave some of them. */
export function Parallel({ runs, columns, onChoose }: Props) {
  const navigate = useNavigate();
  const usual = useMemo(() => {
    const first = runs[0];
    const varies = first ? columns.filter((c) => { const value = valueOf(first, c); return runs.some((run) => valueOf(run, c) !== value); }) : [];
    return [...varies.filter((c) => c.kind === "params").slice(0, 5), ...varies.filter((c) => c.kind === "metrics")].slice(0, 8);
  }, [columns, runs]);
  const [picked, setPicked] = useState<string[]>();
  const chosen = useMemo(() => picked?.map((id) => columns.find((c) => c.id === id)).filter((c) => c !== undefined) ?? usual, [picked, columns, usual]);
  const places = useMemo(() => chosen.map((c, i) => placeOf(c, runs, size.side + (i * (size.width - 2 * size.side)) / Math.max(1, chosen.length - 1))), [chosen, runs]);
  const [bands, setBands] = useState<Bands>({});
  const lines = useMemo(() => runs.map((run) => ({ run, points: places.flatMap((p) => { const y = p.at(run); return y === undefined ? [] : [`${p.x},${y.toFixed(1)}`]; }).join(" ") })).filter((l) => l.points.includes(" ")), [runs, places]);
  const shown = useMemo(() => Object.fromEntries(Object.entries(bands).filter(([id]) => places.some((p) => p.column.id === id))), [bands, places]);
  const within = useMemo(() => new Set(lines.filter(({ run }) => isWithin(shown, (id) => places.find((p) => p.column.id === id)?.at(run))).map(({ run }) => run.id)), [lines, shown, places]);
  const some = Object.keys(shown).length > 0;
  if (columns.length < 2) return <Empty title="Nothing to draw">Runs need two params or metrics.</Empty>;
  return (
    <>
      <div className={classes.tools}>
        <MultiSelect size="xs" style={{ flex: 1 }} label="Axes" description={`Up to ${most}, in the order in which they are chosen`} maxValues={most} searchable value={chosen.map((c) => c.id)} onChange={setPicked} data={columns.map((c) => ({ value: c.id, label: `${c.kind}.${c.key}` }))} />
      </div>
      <p className={`dim ${classes.tools}`} aria-live="polite">
        {some ? <>{formatCount(within.size)} of {formatCount(lines.length)} runs are in the ranges. <Button size="compact-xs" variant="default" onClick={() => { setPicked(chosen.map((c) => c.id)); setBands({}); onChoose(within); }}>Choose them</Button><Button size="compact-xs" variant="default" onClick={() => setBands({})}>Clear the ranges</Button></> : "Draw along an axis to see the runs in a range alone."}
      </p>
      <svg viewBox={`0 0 ${size.width} ${size.height}`} className={classes.drawing} role="img" aria-label={`${plural(lines.length, "run")} across ${chosen.map((c) => c.key).join(", ")}`}>
        {lines.map(({ run, points }) => <polyline key={run.id} points={points} className={classes.line} data-out={!within.has(run.id) || undefined} onClick={() => void navigate({ to: "/runs/$id", params: { id: run.id }, search: {} })}><title>{run.name}</title></polyline>)}
        {places.map((p) => <ParallelAxis key={p.column.id} column={p.column} x={p.x} top={size.top} bottom={size.height - size.bottom} ticks={p.ticks} band={shown[p.column.id]} onBand={(band) => setBands((old) => withBand(old, p.column.id, band))} />)}
      </svg>
    </>
  );
}
