import { Autocomplete, Button, SegmentedControl } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { hostAndPort } from "../kit/useAddress";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { useNow } from "../kit/Time";
import { BandChart } from "./BandChart";
import classes from "./explore.module.css";
import { compares, linesQuery, metricNamesQuery, most, type Line } from "./query";
import { readRange, spans, writeRange } from "./range";

const remoteWrite = (target: string): string => `remote_write:
  - url: http://${target}/api/v1/write`;

/** Any series with what is usual for it, and any PromQL. What is looked at stands in the URL. */
export function ExplorePage() {
  const { q = "", from, to, tab, compare } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const now = useNow();
  const range = readRange(from, to, now);
  const live = range.span !== undefined;
  const { data, error, isFetching, isPlaceholderData, refetch } = useQuery(linesQuery(q, range.from, range.to, live, compare));
  const { data: names } = useQuery(metricNamesQuery);
  const together = tab === "together";
  const go = (change: Record<string, string | undefined>): void => void navigate({ to: ".", search: (old) => ({ ...old, ...change }) });
  const zoom = (a: number, b: number): void => go(writeRange(a, b));
  const show = q !== "" && data !== undefined && (!error || isPlaceholderData);
  return (
    <>
      <PageHead title="Explore">A metric, a selector or an entity is drawn with the band that is usual for it and its anomalies; any other PromQL as it is. Drag to zoom.</PageHead>
      <div className={classes.page}>
        <div className={classes.bar}>
          <Ask key={q} text={q} names={names ?? []} busy={isFetching} onAsk={(text) => go({ q: text || undefined })} />
          <SegmentedControl size="xs" aria-label="Time" value={range.span ?? "two"} onChange={(span) => go({ from: span, to: undefined })}
            data={[...Object.entries(spans).map(([value, label]) => ({ value, label })), ...(live ? [] : [{ value: "two", label: "Zoomed" }])]} />
          {!live && <Button size="compact-sm" variant="default" onClick={() => zoom(range.from - (range.to - range.from) / 2, range.to + (range.to - range.from) / 2)}>Zoom out</Button>}
          {q !== "" && <SegmentedControl size="xs" aria-label="Compare" value={compare ?? "none"} onChange={(v) => go({ compare: v === "none" ? undefined : v })} data={[{ value: "none", label: "No comparison" }, ...Object.entries(compares).map(([value, { label }]) => ({ value, label }))]} />}
          {data && data.lines.length > 1 && <SegmentedControl size="xs" aria-label="Charts" value={together ? "together" : "each"} onChange={(v) => go({ tab: v === "together" ? v : undefined })} data={[{ value: "each", label: "One each" }, { value: "together", label: "Together" }]} />}
        </div>
        {q === "" && names?.length === 0 && (
          <Empty title="No samples have come yet" paste={{ caption: "Three lines make a Prometheus send its samples here too:", lines: remoteWrite(hostAndPort()) }}>
            OpenTelemetry SDKs and Collectors send OTLP to the same address, or to 4317 and 4318. Every series is judged from then on, with nothing to set up.
          </Empty>
        )}
        {q === "" && names && names.length > 0 && <Names names={names} />}
        {q !== "" && !data && !error && <Loading rows={6} label="Loading the chart" />}
        {error && !isFetching && <Failure error={error} retry={() => void refetch()} />}
        {show && data.lines.length === 0 && <Empty title="Nothing has this name in this time">Choose another time above, or another name. <Link to="/explore" search={{}} className="link">All names</Link></Empty>}
        {show && data.lines.length > 0 && <Charts lines={data.lines} together={together} from={range.from} to={range.to} onZoom={zoom} />}
        {show && data.more && <p className="dim">The first {most} series are shown. Narrow the selector by labels, for instance {"{"}instance=&quot;…&quot;{"}"}.</p>}
      </div>
    </>
  );
}

function Ask({ text, names, busy, onAsk }: { text: string; names: string[]; busy: boolean; onAsk: (text: string) => void }) {
  const [value, setValue] = useState(text);
  const fitting = useMemo(() => names.filter((n) => n.includes(value)).slice(0, 200), [names, value]);
  return (
    <form className={classes.text} onSubmit={(event) => { event.preventDefault(); onAsk(value.trim()); }} style={{ display: "flex", gap: 8 }}>
      <Autocomplete style={{ flex: 1 }} size="xs" aria-label="Metric, entity or PromQL" placeholder="Metric, selector, service:checkout, or PromQL" data={fitting} value={value} onChange={setValue} onOptionSubmit={(v) => onAsk(v)} limit={200} maxDropdownHeight={320} data-filter />
      <Button type="submit" size="xs" loading={busy && text !== ""}>Show</Button>
    </form>
  );
}

function Names({ names }: { names: string[] }) {
  return (
    <>
      <p className="dim">{names.length} metrics are stored. Choose one, or write PromQL above.</p>
      <ul className={classes.names}>
        {names.slice(0, 500).map((name) => <li key={name}><Link to="/explore" search={{ q: name }} className="link mono">{name}</Link></li>)}
      </ul>
      {names.length > 500 && <p className="dim">And {names.length - 500} more: type a part of the name above.</p>}
    </>
  );
}

function Charts({ lines, together, from, to, onZoom }: { lines: Line[]; together: boolean; from: number; to: number; onZoom: (from: number, to: number) => void }) {
  if (together && lines.length > 1) return <figure className={classes.figure}><BandChart lines={lines} from={from} to={to} height={360} onZoom={onZoom} /></figure>;
  return lines.map((line) => <One key={line.name} line={line} from={from} to={to} tall={lines.length === 1} onZoom={onZoom} />);
}

function One({ line, from, to, tall, onZoom }: { line: Line; from: number; to: number; tall: boolean; onZoom: (from: number, to: number) => void }) {
  const lines = useMemo(() => [line], [line]);
  return (
    <figure className={classes.figure}>
      <figcaption className={classes.name}><span>{line.name}</span>{line.alerts.length > 0 && <span style={{ color: "var(--fl-critical)", flex: "none" }}>abnormal where shaded</span>}</figcaption>
      <BandChart lines={lines} from={from} to={to} height={tall ? 320 : 180} onZoom={onZoom} />
    </figure>
  );
}
