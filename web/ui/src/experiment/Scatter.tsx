import { Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { sayNumber } from "../explore/say";
import { Empty } from "../kit/States";
import type { KeyColumn } from "./columns";
import classes from "./experiment.module.css";
import { numberOf } from "./groups";
import type { Run } from "./query";

const size = { width: 960, height: 420, left: 64, bottom: 36, top: 12, right: 16 };

/** Two columns of many runs, a point each. */
export function Scatter({ runs, columns }: { runs: readonly Run[]; columns: readonly KeyColumn[] }) {
  const navigate = useNavigate();
  const numeric = useMemo(() => columns.filter((c) => c.kind !== "tags" && runs.some((run) => numberOf(run, c) !== undefined)), [columns, runs]);
  const [picked, setPicked] = useState<{ x?: string; y?: string }>({});
  const y = numeric.find((c) => c.id === picked.y) ?? numeric[0];
  const x = numeric.find((c) => c.id === picked.x) ?? numeric.find((c) => c.kind === "params") ?? numeric[1] ?? y;
  const points = useMemo(() => (x && y ? runs.flatMap((run) => {
    const a = numberOf(run, x), b = numberOf(run, y);
    return a === undefined || b === undefined ? [] : [{ run, a, b }];
  }) : []), [runs, x, y]);
  if (!x || !y) return <Empty title="Nothing to draw">Runs need a metric, or a param that is a number.</Empty>;
  const along = scaleOf(points.map((p) => p.a), size.left, size.width - size.right), up = scaleOf(points.map((p) => p.b), size.height - size.bottom, size.top);
  const data = numeric.map((c) => ({ value: c.id, label: `${c.kind}.${c.key}` }));
  return (
    <>
      <div className={classes.tools}>
        <Select size="xs" label="Across" data={data} value={x.id} onChange={(v) => setPicked({ ...picked, ...(v ? { x: v } : {}) })} searchable allowDeselect={false} />
        <Select size="xs" label="Up" data={data} value={y.id} onChange={(v) => setPicked({ ...picked, ...(v ? { y: v } : {}) })} searchable allowDeselect={false} />
        <span className="dim">{points.length} of {runs.length} runs have both. A click opens a run.</span>
      </div>
      <svg viewBox={`0 0 ${size.width} ${size.height}`} className={classes.drawing} role="img" aria-label={`${y.key} against ${x.key}: ${points.length} runs`}>
        {along.ticks.map((t) => <g key={t}><line x1={along.at(t)} x2={along.at(t)} y1={size.top} y2={size.height - size.bottom} className={classes.rule} /><text x={along.at(t)} y={size.height - 18} textAnchor="middle">{sayNumber(t)}</text></g>)}
        {up.ticks.map((t) => <g key={t}><line x1={size.left} x2={size.width - size.right} y1={up.at(t)} y2={up.at(t)} className={classes.rule} /><text x={size.left - 8} y={up.at(t) + 4} textAnchor="end">{sayNumber(t)}</text></g>)}
        <text x={size.width - size.right} y={size.height - 3} textAnchor="end">{x.key}</text>
        {points.map(({ run, a, b }) => (
           
          <circle key={run.id} cx={along.at(a)} cy={up.at(b)} r={3.5} className={classes.point} onClick={() => void navigate({ to: "/runs/$id", params: { id: run.id }, search: {} })}><title>{`${run.name}: ${x.key} ${sayNumber(a)}, ${y.key} ${sayNumber(b)}`}</title></circle>
        ))}
      </svg>
    </>
  );
}

/** Where a value stands between two places, and about five round values. */
export function scaleOf(values: readonly number[], from: number, to: number): { at: (v: number) => number; ticks: number[] } {
  let least = values.reduce((a, b) => Math.min(a, b), Infinity), greatest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (least === Infinity) [least, greatest] = [0, 1];
  if (least === greatest) [least, greatest] = [least - (Math.abs(least) || 1) / 2, greatest + (Math.abs(greatest) || 1) / 2];
  const rough = (greatest - least) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((m) => m * power >= rough) ?? 10) * power;
  const ticks: number[] = [];
  for (let i = Math.ceil(least / step); i * step <= greatest && ticks.length < 12; i++) ticks.push(Number((i * step).toPrecision(12)));
  return { at: (v) => from + ((v - least) / (greatest - least)) * (to - from), ticks };
}
