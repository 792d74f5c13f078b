import { useZone } from "../kit/settings";
import { formatDay, formatExact } from "../kit/time";
import classes from "./analytics.module.css";

export interface Bars {
  title: string;
  unit: string;
  /** One value a period; null where there is none. */
  values: readonly (number | null)[];
  /** Parts of the values that are drawn darker, with their name. */
  part?: { name: string; values: readonly (number | null)[] };
  say: (value: number | null) => string;
}

interface Props extends Bars {
  starts: readonly string[];
  /** The period that is looked at, in all charts at once. */
  hover: number | undefined;
  onHover: (index: number | undefined) => void;
}

const height = 96;

/** The values of periods as bars, with the unit and the highest value at the axis. */
export function PeriodChart({ title, unit, values, part, say, starts, hover, onHover }: Props) {
  const zone = useZone();
  const known = values.filter((v) => v !== null);
  const top = Math.max(...known, 0) || 1;
  const n = Math.max(1, values.length);
  const tall = (v: number | null | undefined): number => (v ? Math.max(2, (v / top) * height) : 0);
  const first = starts[0];
  const last = starts.at(-1);
  const day = (at: string | undefined): string => (at ? formatDay(Date.parse(at), zone) : "");
  const words = known.length === 0 ? `${title}: nothing in this time` : `${title} in ${unit} for ${n} periods from ${day(first)} to ${day(last)}: at most ${say(Math.max(...known))}, at least ${say(Math.min(...known))}`;
  const at = hover !== undefined && hover < n ? hover : undefined;
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.caption}>
        <span>{title}</span>
        <span className="dim">{at === undefined ? unit : `${say(values[at] ?? null)}${part ? `, ${say(part.values[at] ?? null)} ${part.name}` : ""}`}</span>
      </figcaption>
      <div className={classes.plot}>
        <span className={classes.top} aria-hidden>{known.length > 0 && say(top)}</span>
        {known.length === 0 ? <p className={classes.nothing}>Nothing in this time</p> : (
          <svg viewBox={`0 0 ${n} ${height}`} preserveAspectRatio="none" role="img" aria-label={words} className={classes.bars} onPointerLeave={() => onHover(undefined)}
            onPointerMove={(event) => { const box = event.currentTarget.getBoundingClientRect(); onHover(Math.min(n - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * n)))); }}>
            {values.map((v, i) => (
              <g key={starts[i] ?? i} data-over={i === at || undefined}>
                <rect x={i} y={0} width={1} height={height} className={classes.behind} />
                <rect x={i + 0.12} width={0.76} y={height - tall(v)} height={tall(v)} className={classes.bar} />
                {part && <rect x={i + 0.12} width={0.76} y={height - tall(part.values[i])} height={tall(part.values[i])} className={classes.part} />}
              </g>
            ))}
          </svg>
        )}
      </div>
      <p className={classes.axis} aria-hidden>{at === undefined ? <><span>{day(first)}</span><span>{n > 1 ? day(last) : ""}</span></> : <span>from {formatExact(Date.parse(starts[at] ?? ""), zone)}</span>}</p>
    </figure>
  );
}
