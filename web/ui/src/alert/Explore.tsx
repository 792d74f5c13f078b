import { Button, UnstyledButton } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { alertSummaryQuery, type AlertFilter } from "../api/queries";
import type { AlertSummary } from "../api/types";
import { toggleTerm, type Filter } from "../kit/filter";
import { formatCount, plural } from "../kit/numbers";
import { useZone } from "../kit/settings";
import { formatDuration, formatExact } from "../kit/time";
import { Histogram } from "./Histogram";
import classes from "./explore.module.css";

interface Props {
  parameters: AlertFilter;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  range: boolean;
  onRange: (from: string | undefined, to: string | undefined) => void;
}

const mostValues = 5;
const groups = [["severity", "severities", "Severity"], ["disposition", "dispositions", "Told?"], ["service", "services", "Service"]] as const;

/** When the alerts of a filter began, and what they say most often; each bar and each value narrows the filter. */
export function Explore({ parameters, filter, onFilter, range, onRange }: Props) {
  const { data } = useQuery({ ...alertSummaryQuery(parameters), placeholderData: (old) => old });
  if (!data?.from || data.alerts === 0) return range ? <div className={classes.explore}><Button variant="default" size="compact-xs" onClick={() => onRange(undefined, undefined)}>Show all times</Button></div> : null;
  const name = (value: string): void => onFilter({ ...filter, text: [filter.text, `alertname="${value}"`].filter(Boolean).join(" ") });
  return (
    <section className={classes.explore} aria-label="What these alerts say">
      <Times summary={data} from={data.from} range={range} onRange={onRange} />
      {groups.map(([key, list, title]) => (
        <Values key={key} title={title} values={data[list]} total={data.alerts} chosen={filter.terms[key] ?? []} onPick={(value) => onFilter(toggleTerm(filter, key, value))} usable={(value) => !/[\s,]/.test(value)} />
      ))}
      <Values title="Alert" values={data.names} total={data.alerts} chosen={[]} onPick={name} usable={(value) => !/[\s"\\]/.test(value)} />
    </section>
  );
}

function Times({ summary, from, range, onRange }: { summary: AlertSummary; from: string; range: boolean; onRange: Props["onRange"] }) {
  const zone = useZone();
  const start = Date.parse(from), width = summary.width * 1_000;
  const at = (i: number): string => new Date(start + i * width).toISOString();
  const words = `${summary.complete ? "" : "the newest "}${plural(summary.alerts, "alert")} began between ${formatExact(start, zone)} and ${formatExact(start + summary.buckets.length * width, zone)}; ${formatCount(Math.max(...summary.buckets))} at most in ${formatDuration(width)}`;
  return (
    <div className={classes.times}>
      <p className={classes.caption}><span>Began, each {formatDuration(width)}</span>{range ? <UnstyledButton className="link" onClick={() => onRange(undefined, undefined)}>all times</UnstyledButton> : <span className="dim">drag to zoom</span>}{!summary.complete && <span className="dim">newest {formatCount(summary.alerts)}</span>}</p>
      <Histogram values={summary.buckets} from={start} width={width} words={words} onRange={(first, last) => onRange(at(first), at(last + 1))} />
    </div>
  );
}

interface ValuesProps {
  title: string;
  values: AlertSummary["names"];
  total: number;
  chosen: readonly string[];
  onPick: (value: string) => void;
  /** Whether a filter can hold the value. */
  usable: (value: string) => boolean;
}

function Values({ title, values, total, chosen, onPick, usable }: ValuesProps) {
  return (
    <div className={classes.values} role="group" aria-label={title}>
      <p className={classes.caption}><span>{title}</span>{values.length > mostValues && <span className="dim">{values.length >= 20 ? "20 or more" : values.length}</span>}</p>
      {values.slice(0, mostValues).map(({ value, count }) => (
        <UnstyledButton key={value} className={classes.value} data-on={chosen.includes(value) || undefined} aria-pressed={chosen.includes(value)} disabled={!usable(value)} title={value} onClick={() => onPick(value)}>
          <span className={classes.bar} style={{ width: `${(count / total) * 100}%` }} aria-hidden />
          <span className={classes.word}>{value}</span><span className="dim">{formatCount(count)}</span>
        </UnstyledButton>
      ))}
    </div>
  );
}
