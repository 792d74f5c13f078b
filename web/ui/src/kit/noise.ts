// The shape of the noise bar: many thin alert ticks that narrow into few incidents.

export interface NoiseEnd {
  id: string;
  label: string;
  /** How many alerts lead here. */
  weight: number;
  /** A severity or state colour, as in tokens.css. */
  colour: string;
}

export interface NoiseShape {
  /** Path of the wires that reach an incident, of those that were held back, and of all ticks. */
  told: string;
  hidden: string;
  ticks: string;
  ends: (NoiseEnd & { x: number; y: number })[];
}

export interface NoiseInput {
  width: number;
  height: number;
  /** Alerts per equal span of time, oldest first. */
  spark: readonly number[];
  /** All alerts, and how many of them nobody was told about. */
  total: number;
  hidden: number;
  ends: readonly NoiseEnd[];
}

const mostTicks = 150;
const mostWires = 64;
const stub = 22;
const golden = 0.618033988749895;

/** Where in time (0 to 1) the i-th of n wires starts, following the spark. */
function starts(spark: readonly number[], n: number): number[] {
  const sum = spark.reduce((a, b) => a + b, 0);
  if (sum === 0) return Array.from({ length: n }, (_, i) => (i + 0.5) / n);
  const result: number[] = [];
  let seen = 0;
  spark.forEach((count, bucket) => {
    const before = Math.round((seen / sum) * n);
    seen += count;
    const after = Math.round((seen / sum) * n);
    for (let k = before; k < after; k++) result.push((bucket + (k - before + 0.5) / (after - before)) / spark.length);
  });
  return result;
}

const round = (x: number): string => x.toFixed(1);

/** Computes the paths. The same input gives the same picture. */
export function noiseShape({ width, height, spark, total, hidden, ends }: NoiseInput): NoiseShape {
  const n = Math.min(total, mostTicks);
  const pad = 4;
  const left = width * 0.66;
  const right = width - 10;
  const placed = ends.map((end, i) => ({ ...end, x: right, y: ends.length === 1 ? height / 2 : pad + ((i + 0.5) * (height - 2 * pad)) / ends.length }));
  const weights = placed.reduce((sum, end) => sum + end.weight, 0);
  const shape: NoiseShape = { told: "", hidden: "", ticks: "", ends: placed };
  const share = total === 0 ? 0 : hidden / total;
  const every = Math.max(1, n / mostWires);
  starts(spark, n).forEach((at, i) => {
    // A storm of seconds would be one black column: the place is mostly the rank, and the time only its texture.
    const x = pad + (0.3 * at + (0.7 * (i + 0.5)) / n) * (left - pad);
    const y = pad + (((i + 1) * golden) % 1) * (height - 2 * pad);
    shape.ticks += `M${round(x)} ${round(y - 3.5)}v7`;
    if (Math.floor((i + 1) * share) > Math.floor(i * share) || placed.length === 0) {
      shape.hidden += `M${round(x)} ${round(y)}h${stub}m0 -2.5v5`;
      return;
    }
    if (Math.floor((i + 1) / every) === Math.floor(i / every)) return;
    let pick = (((i + 1) * golden * 7) % 1) * weights;
    const end = placed.find((e) => (pick -= e.weight) <= 0) ?? placed[0];
    if (!end) return;
    const reach = right - x;
    shape.told += `M${round(x)} ${round(y)}C${round(x + reach * 0.6)} ${round(y)} ${round(x + reach * 0.55)} ${round(end.y)} ${round(right)} ${round(end.y)}`;
  });
  return shape;
}
