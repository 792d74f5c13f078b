import { Button, Select } from "@mantine/core";
import { useMediaQuery } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { teeQuery } from "../api/queries";
import { Copy } from "../kit/Copy";
import { DataTable } from "../kit/DataTable";
import { parseSpan } from "../kit/filter";
import { formatCount } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { NoiseBar } from "../kit/NoiseBar";
import { Empty, Failure, Loading } from "../kit/States";
import { columns, middleColumns, narrowColumns } from "./columns";
import { Doors } from "./Doors";
import { headline, meaning, pictureOf, toMarkdown, verdicts } from "./report";
import viewClasses from "../kit/Views.module.css";
import { Csv } from "../kit/Csv";
import classes from "./tee.module.css";

const spans = [{ value: "1h", label: "Last hour" }, { value: "24h", label: "Last day" }, { value: "7d", label: "Last 7 days" }, { value: "30d", label: "Last 30 days" }];
const lates = [{ value: "0s", label: "Later: any" }, { value: "60s", label: "Later: over 1 min" }, { value: "5m", label: "Later: over 5 min" }];

/** What Fairlead would have told whom, against what today's tool did. */
export function TeePage() {
  const { q, from = "7d", late = "60s" } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const narrow = useMediaQuery("(max-width: 760px)");
  const middle = useMediaQuery("(max-width: 1700px)");
  const { data: report, error, isPending, refetch } = useQuery({ ...teeQuery(parseSpan(from) ?? 604_800_000, late), placeholderData: (old) => old });
  const shown = verdicts.find((v) => v === q);
  const rows = useMemo(() => (report?.incidents ?? []).filter((c) => !shown || c.verdict === shown), [report, shown]);
  const picture = useMemo(() => report && pictureOf(report), [report]);
  const set = (change: { from?: string; late?: string }): void => void navigate({ to: ".", search: (old) => ({ ...old, ...change }), replace: true });
  const compared = report !== undefined && report.incidents.length > 0;
  return (
    <>
      <PageHead title="Tee report" actions={report && compared ? <><Csv name="fairlead-tee" rows={rows} what="the comparison" /><Copy value={toMarkdown(report)} label="Copy as Markdown" /></> : undefined}>
        What Fairlead told or would have told, against what today’s tool did with the same alerts.
      </PageHead>
      {isPending && <Loading label="Loading the report" />}
      {error && !report && <Failure error={error} retry={() => void refetch()} />}
      {report && compared && picture && (
        <div className={classes.bar}>
          <div>
            <p className={classes.headline}>{headline(report)}</p>
            <p className="dim facts">{Object.entries(report.byReceiver).sort(([, a], [, b]) => b - a).slice(0, 6).map(([name, n]) => <span key={name}>{name} {formatCount(n)}</span>)}{report.resolved > 0 && <span>{formatCount(report.resolved)} more of ended alerts</span>}{(report.muted ?? 0) > 0 && <span title="Different alerts that the tool muted, as its event recorder says">{formatCount(report.muted ?? 0)} muted by the tool</span>}</p>
          </div>
          <NoiseBar spark={picture.spark} total={report.notifications} hidden={picture.missed} ends={picture.ends} summary={headline(report)} />
        </div>
      )}
      {report && (compared || report.integrations.length > 0) && (
        <div className={classes.tools}>
          <div className={viewClasses.views} style={{ margin: "0 -8px" }} role="group" aria-label="Verdicts">
            {[undefined, ...verdicts].map((verdict) => (
              <Link key={verdict ?? "all"} to="/tee" search={(old) => ({ ...old, q: verdict })} className={viewClasses.view} data-on={verdict === shown || undefined} aria-current={verdict === shown ? "page" : undefined} title={verdict && meaning[verdict]}>
                {verdict ? verdict.charAt(0).toUpperCase() + verdict.slice(1) : "All"} <span className="dim">{formatCount(verdict ? report[verdict] : report.incidents.length)}</span>
              </Link>
            ))}
          </div>
          <Select size="xs" w={150} aria-label="How late is later" data={lates} value={late} allowDeselect={false} onChange={(value) => set({ late: value ?? "60s" })} />
          <Select size="xs" w={140} aria-label="Time" data={spans} value={from} allowDeselect={false} onChange={(value) => set({ from: value ?? "7d" })} />
        </div>
      )}
      {report && !compared && report.integrations.length > 0 && <Doors report={report} />}
      {report?.integrations.length === 0 && !compared && (
        <Empty title="Nothing to compare yet" actions={<Button renderRoot={(props) => <Link to="/integrations/new" search={{}} {...props} />}>Add integration</Button>}>
          Let a sender send here, pass its requests on to today’s tool (the integration’s settings: forward, observe only), and let the tool tell what it did (Alertmanager event recorder, or Alertmanager as witness). Nobody is told twice, and this page shows by name what would have been avoided, missed or later.
        </Empty>
      )}
      {compared && rows.length === 0 && shown && <Empty title={`None ${shown}`}>{meaning[shown]}</Empty>}
      {rows.length > 0 && <DataTable label="Incidents compared" rows={rows} columns={narrow ? narrowColumns : middle ? middleColumns : columns} rowId={(row) => `${row.incident ?? ""} ${row.title} ${row.toldAt ?? ""}`} rowName={(row) => row.title} rowHeight={narrow ? 58 : 36} />}
    </>
  );
}
