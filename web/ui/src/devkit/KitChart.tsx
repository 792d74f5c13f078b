import { BandChart } from "../explore/BandChart";
import type { Line } from "../explore/query";

const minute = 60_000, begin = Date.UTC(2026, 0, 5, 8), count = 240;
const times = Array.from({ length: count }, (_, i) => begin + i * minute);
const level = (i: number): number => 100 + 20 * Math.sin(i / 40);
const wave = (i: number): number => level(i) + 4 * Math.sin(i * 1.7) + (i > 200 && i < 215 ? 60 : 0);

const plain: Line = { name: "kit_orders", labels: { __name__: "kit_orders" }, unit: "items", times, values: times.map((_, i) => (i > 60 && i < 75 ? null : wave(i))), alerts: [] };
const judged: Line = { ...plain, values: times.map((_, i) => wave(i)), low: times.map((_, i) => level(i) - 12), high: times.map((_, i) => level(i) + 12), alerts: times.flatMap((_, i) => (i > 200 && i < 215 ? [i] : [])) };
const compared: Line = { ...judged, earlier: { name: "week before", times, values: times.map((_, i) => wave(i + 20) - 10) } };
const until = begin + count * minute;

const charts: [Line[], number][] = [
  [[judged], 140], [[compared], 140], [[plain, { ...plain, name: "kit_returns", values: times.map((_, i) => wave(i) / 2) }], 140], [[{ ...plain, times: [], values: [] }], 100],
];

/** Charts of series: with what is usual and an anomaly, compared, several together with a gap, nothing. */
export function KitChart() {
  return charts.map(([lines, height], i) => <BandChart key={i} lines={lines} from={begin} to={until} height={height} />);
}
