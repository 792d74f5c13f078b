import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Copy } from "../kit/Copy";
import { Csv } from "../kit/Csv";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { useZone } from "../kit/settings";
import { Empty, Failure, Loading } from "../kit/States";
import classes from "./analytics.module.css";
import { csv, sayRatio, sayShare, sayTime, tiles, toMarkdown } from "./figures";
import { PeriodChart, type Bars } from "./PeriodChart";
import { analyticsQuery, type Analytics, type AnalyticsFilter, type Figure } from "./query";
import { Sections } from "./Sections";

const spans = [{ value: "7", label: "Last 7 days" }, { value: "28", label: "Last 28 days" }, { value: "90", label: "Last 90 days" }, { value: "365", label: "Last year" }];
const periods = [{ value: "day", label: "By day" }, { value: "week", label: "By week" }, { value: "month", label: "By month" }];
const nights = [{ value: "22-7", label: "Night: 22 to 7" }, { value: "20-8", label: "Night: 20 to 8" }, { value: "0-6", label: "Night: 0 to 6" }, { value: "18-9", label: "Night: 18 to 9" }];

function charts(data: Analytics): Bars[] {
  const of = (pick: (f: Figure) => number | null): (number | null)[] => data.periods.map((p) => pick(p.figure));
  const count = (v: number | null): string => formatCount(v ?? 0);
  return [
    { title: "Incidents", unit: "incidents shown", values: of((f) => f.incidents), say: count },
    { title: "Alerts", unit: "alerts; lower part told to nobody", values: of((f) => f.received), part: { name: "told to nobody", values: of((f) => f.untold) }, say: count },
    { title: "Alerts per incident", unit: "alerts", values: of((f) => f.alertsPerIncident), say: sayRatio },
    { title: "Noise share", unit: "% of alerts", values: of((f) => f.noiseShare), say: sayShare },
    { title: "MTTA", unit: "mean time to acknowledge", values: of((f) => f.timeToAcknowledge.mean), say: sayTime },
    { title: "MTTR", unit: "mean time to resolve", values: of((f) => f.timeToResolve.mean), say: sayTime },
    { title: "Pages", unit: "pages; lower part at night", values: of((f) => f.pages), part: { name: "at night", values: of((f) => f.nightPages) }, say: count },
    { title: "Ended untouched", unit: "% of ended incidents", values: of((f) => f.idleShare), say: sayShare },
  ];
}

/** How a time went for those who were on call, with what each figure means. */
export function AnalyticsPage() {
  const { q, from = "28", tab, late = "22-7" } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const zone = useZone();
  const [hover, setHover] = useState<number>();
  const days = Number(from) || 28;
  const period = periods.find((p) => p.value === tab)?.value ?? (days > 120 ? "month" : days > 40 ? "week" : "day");
  const filter = { period: period as AnalyticsFilter["period"], night: late, zone: zone === "utc" ? "UTC" : Intl.DateTimeFormat().resolvedOptions().timeZone, ...(q ? { team: q } : {}) };
  const { data, error, isPending, refetch } = useQuery(analyticsQuery(days, filter));
  const { data: everything } = useQuery(analyticsQuery(days, { ...filter, team: undefined }));
  const set = (change: Record<string, string | undefined>): void => void navigate({ to: "/analytics", search: (old) => ({ ...old, ...change }), replace: true });
  const teams = useMemo(() => [{ value: "", label: "All teams" }, ...(everything?.teams ?? []).map((t) => ({ value: t.team || "-", label: t.team || "No team" }))], [everything]);
  const some = data && (data.total.received > 0 || data.total.incidents > 0);
  return (
    <div className={classes.page}>
      <PageHead title="Analytics" actions={data && some ? <><Csv name="fairlead-periods" rows={csv.periods(data.periods)} what="the figures by time" /><Copy value={toMarkdown(data)} label="Copy as Markdown" /></> : undefined}>How often people were called, how soon they came, and how much of it was noise. Each figure says how it is counted.</PageHead>
      <div className={classes.tools}>
        <Select size="xs" w={140} aria-label="Time" data={spans} value={String(days)} allowDeselect={false} onChange={(value) => set({ from: value ?? undefined, tab: undefined })} />
        <Select size="xs" w={110} aria-label="Period" data={periods} value={period} allowDeselect={false} onChange={(value) => set({ tab: value ?? undefined })} />
        <Select size="xs" w={170} aria-label="Team" data={teams.some((t) => t.value === (q ?? "")) ? teams : [...teams, { value: q ?? "", label: q ?? "" }]} value={q ?? ""} allowDeselect={false} searchable onChange={(value) => set({ q: value === "" ? undefined : (value ?? undefined) })} />
        <Select size="xs" w={140} aria-label="Night" data={nights} value={late} allowDeselect={false} onChange={(value) => set({ late: value ?? undefined })} />
      </div>
      {isPending && <Loading label="Loading the figures" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && !some && <Empty title="Nothing happened in this time">As soon as alerts arrive, this page counts how many became incidents, how soon people acknowledged them, how long they took, and how often somebody was paged at night.</Empty>}
      {data && some && (
        <>
          <dl className={classes.tiles}>
            {tiles(data).map((t) => <div key={t.name}><dt>{t.name}</dt><dd className={classes.value}>{t.value}</dd><dd>{t.parts}</dd><dd className={classes.definition}>{t.definition}</dd></div>)}
          </dl>
          <div className={classes.charts}>
            {charts(data).map((c) => <PeriodChart key={c.title} {...c} starts={data.periods.map((p) => p.from)} hover={hover} onHover={setHover} />)}
          </div>
          <Sections data={data} />
        </>
      )}
    </div>
  );
}
