import { useRef } from "react";
import { bandOf, type Band } from "./bands";
import classes from "./experiment.module.css";
import type { KeyColumn } from "./columns";

interface Props {
  column: KeyColumn;
  x: number;
  top: number;
  bottom: number;
  ticks: readonly { y: number; text: string }[];
  band: Band | undefined;
  onBand: (band: Band | undefined) => void;
}

const reach = 14;
const short = (text: string): string => (text.length > 20 ? `${text.slice(0, 19)}…` : text);

/** An upright axis on which a range is drawn with the pointer; a click takes it away. */
export function ParallelAxis({ column, x, top, bottom, ticks, band, onBand }: Props) {
  const from = useRef<number>(undefined);
  const height = (event: React.PointerEvent<SVGRectElement>): number => {
    const box = event.currentTarget.getBoundingClientRect(); // of the rectangle, which is as long as the axis
    return Math.min(bottom, Math.max(top, top + ((event.clientY - box.top) * (bottom - top)) / box.height));
  };
  return (
    <g>
      <line x1={x} x2={x} y1={top} y2={bottom} className={classes.axis} />
      <text x={x} y={16} textAnchor="middle" className={classes.label}>{short(column.key)}<title>{column.key}</title></text>
      {ticks.map((t) => <text key={t.text} x={x + 5} y={t.y + 4}>{t.text}</text>)}
      {band && <rect x={x - 6} width={12} y={band[0]} height={band[1] - band[0]} className={classes.band} />}
      <rect x={x - reach} width={2 * reach} y={top} height={bottom - top} className={classes.grip} data-axis={column.id}
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); from.current = height(event); }}
        onPointerMove={(event) => { if (from.current !== undefined) onBand(bandOf(from.current, height(event))); }}
        onPointerUp={(event) => { if (from.current !== undefined) onBand(bandOf(from.current, height(event))); from.current = undefined; }} />
    </g>
  );
}
