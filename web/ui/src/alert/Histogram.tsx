import { useState } from "react";
import { plural } from "../kit/numbers";
import { useZone } from "../kit/settings";
import { formatClock, formatDay, formatExact } from "../kit/time";
import classes from "./explore.module.css";

interface Props {
  values: readonly number[];
  /** When the first bar begins, and how long each lasts, in milliseconds. */
  from: number;
  width: number;
  /** The picture in words. */
  words: string;
  onRange: (first: number, last: number) => void;
}

const height = 64;
const day = 86_400_000;

/** Counts over time as bars. Dragging over some of them, or a click on one, asks for that range. */
export function Histogram({ values, from, width, words, onRange }: Props) {
  const zone = useZone();
  const [drag, setDrag] = useState<[number, number]>();
  const [over, setOver] = useState<number>();
  const top = Math.max(1, ...values);
  const place = (event: React.PointerEvent): number => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(values.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * values.length)));
  };
  const label = (at: number): string => (values.length * width > day ? `${formatDay(at, zone)} ${formatClock(at, zone)}` : formatClock(at, zone, width < 60_000));
  const [low, high] = drag ? [Math.min(...drag), Math.max(...drag)] : [-1, -1];
  return (
    <>
      <svg className={classes.histogram} viewBox={`0 0 ${values.length} ${height}`} preserveAspectRatio="none" role="img" aria-label={words}
        onPointerDown={(event) => { event.currentTarget.setPointerCapture(event.pointerId); setDrag([place(event), place(event)]); }}
        onPointerMove={(event) => { const at = place(event); setOver(at); if (drag) setDrag([drag[0], at]); }}
        onPointerLeave={() => setOver(undefined)} onPointerCancel={() => setDrag(undefined)}
        onPointerUp={() => { if (drag) onRange(low, high); setDrag(undefined); }}>
        {values.map((n, i) => <rect key={i} x={i + 0.08} width={0.84} y={n === 0 ? height - 1 : height - Math.max(3, (n / top) * height)} height={height} className={n === 0 ? classes.none : classes.some} data-over={i === over || (i >= low && i <= high) || undefined} />)}
      </svg>
      <p className={classes.axis} aria-hidden>
        {over === undefined
          ? <><span>{label(from)}</span><span>{label(from + values.length * width)}</span></>
          : <span>{plural(values[over] ?? 0, "alert")} from {formatExact(from + over * width, zone)}</span>}
      </p>
    </>
  );
}
