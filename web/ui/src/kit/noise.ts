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

const most = 150;
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
  const n = Math.min(total, most);
  const pad = 4;
  const left = width * 0.6;
  const stop = width * 0.74;
  const right = width - 10;
  const placed = ends.map((end, i) => ({ ...end, x: right, y: ends.length === 1 ? height / 2 : pad + ((i + 0.5) * (height - 2 * pad)) / ends.length }));
  const weights = placed.reduce((sum, end) => sum + end.weight, 0);
  const shape: NoiseShape = { told: "", hidden: "", ticks: "", ends: placed };
  const share = total === 0 ? 0 : hidden / total;
  starts(spark, n).forEach((at, i) => {
    const x = pad + at * (left - pad);
    const y = pad + (((i + 1) * golden) % 1) * (height - 2 * pad);
    shape.ticks += `M${round(x)} ${round(y - 3.5)}v7`;
    const isHidden = Math.floor((i + 1) * share) > Math.floor(i * share);
    if (isHidden || placed.length === 0) {
      shape.hidden += `M${round(x)} ${round(y)}H${round(stop)}m0 -2v4`;
      return;
    }
    let pick = (((i + 1) * golden * 7) % 1) * weights;
    const end = placed.find((e) => (pick -= e.weight) <= 0) ?? placed[0];
    if (!end) return;
    const bend = (left + right) / 2;
    shape.told += `M${round(x)} ${round(y)}H${round(left)}C${round(bend)} ${round(y)} ${round(bend)} ${round(end.y)} ${round(right)} ${round(end.y)}`;
  });
  return shape;
}
