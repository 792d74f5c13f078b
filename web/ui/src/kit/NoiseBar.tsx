import { useElementSize } from "@mantine/hooks";
import { useMemo } from "react";
import { noiseShape, type NoiseEnd } from "./noise";
import classes from "./NoiseBar.module.css";

interface Props {
  spark: readonly number[];
  total: number;
  hidden: number;
  ends: readonly NoiseEnd[];
  height?: number;
  /** The picture in one sentence. */
  summary: string;
}

/** Many thin alert ticks narrowing into incidents. Wires that stop half-way are alerts nobody was told about. */
export function NoiseBar({ spark, total, hidden, ends, height = 56, summary }: Props) {
  const { ref, width } = useElementSize();
  const shape = useMemo(() => noiseShape({ width: width || 600, height, spark, total, hidden, ends }), [width, height, spark, total, hidden, ends]);
  return (
    <div ref={ref} className={classes.bar} style={{ height }}>
      <svg width={width || 600} height={height} role="img" aria-label={summary}>
        <path d={shape.hidden} className={classes.hidden} />
        <path d={shape.told} className={classes.told} />
        <path d={shape.ticks} className={classes.ticks} />
        {shape.ends.map((end) => (
          <circle key={end.id} cx={end.x} cy={end.y} r={shape.ends.length > 8 ? 3 : 5} style={{ fill: `var(--fl-${end.colour})` }}>
            <title>{end.label}</title>
          </circle>
        ))}
      </svg>
    </div>
  );
}
