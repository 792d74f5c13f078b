import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useCallback, useMemo, useState } from "react";
import bars from "../experiment/experiment.module.css";
import { experimentQuery } from "../experiment/query";
import { Copy } from "../kit/Copy";
import { useKeys } from "../kit/keys";
import { formatCount, plural } from "../kit/numbers";
import { PageHead } from "../kit/PageHead";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import { Judgements } from "./Judgements";
import { traceQuery, type TraceTree } from "./query";
import { SpanDetail } from "./SpanDetail";
import { SpanTable } from "./SpanTable";
import { StateMark } from "./StateMark";
import classes from "./trace.module.css";
import { lengthOf, rowsOf, sayTook } from "./tree";

export function TracePage() {
  const { id } = useParams({ from: "/traces/$id" });
  const { data, error, isPending, refetch } = useQuery(traceQuery(id));
  if (isPending) return <Loading label="Loading the trace" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={id} of={data} />;
}

const none: ReadonlySet<string> = new Set();

function Loaded({ of: { trace, spans, problem } }: { of: TraceTree }) {
  const { span } = useSearch({ from: "__root__" });
  const [chosen, setChosen] = useState(span); // the address follows, a moment later
  const navigate = useNavigate();
  const { data: experiment } = useQuery(experimentQuery(trace.experiment));
  const [folded, setFolded] = useState(none);
  const rows = useMemo(() => rowsOf(spans, folded), [spans, folded]);
  const parents = useMemo(() => rowsOf(spans, none).filter((row) => row.below > 0).map((row) => row.span.id), [spans]);
  const fold = useCallback((id: string) => setFolded((old) => { const next = new Set(old); if (!next.delete(id)) next.add(id); return next; }), []);
  const choose = useCallback((id: string) => { setChosen(id); void navigate({ to: ".", replace: true, search: (old) => ({ ...old, span: id }) }); }, [navigate]);
  const at = rows.findIndex((row) => row.span.id === chosen);
  const shown = spans.find((s) => s.id === chosen) ?? rows[0]?.span;
  const move = (by: number): void => { const next = rows[Math.min(rows.length - 1, Math.max(0, (at < 0 ? 0 : at) + by))]; if (next) choose(next.span.id); };
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), ArrowLeft: () => { if (shown && !folded.has(shown.id) && parents.includes(shown.id)) fold(shown.id); }, ArrowRight: () => { if (shown && folded.has(shown.id)) fold(shown.id); } });
  const about = trace.judgements.filter((j) => !j.span || !spans.some((s) => s.id === j.span));
  const title = [trace.name, rows[0]?.span.name].find(Boolean) ?? trace.id;
  return (
    <>
      <PageHead title={title}>
        <Link to="/experiments/$id/traces" params={{ id: trace.experiment }} search={{}} className={`link ${bars.crumb}`}>{experiment?.name ?? `Experiment ${trace.experiment}`}</Link> · began <Time at={trace.startedAt} />{trace.took !== undefined && `, took ${sayTook(trace.took)}`} · {plural(spans.length, "span")}{trace.tokens !== undefined && ` · ${formatCount(trace.tokens)} tokens`}
        {trace.run && <> · <Link to="/runs/$id" params={{ id: trace.run }} search={{}} className={`link ${bars.crumb}`}>run {trace.run.slice(0, 8)}</Link></>}{trace.session && ` · session ${trace.session}`}{trace.user && ` · user ${trace.user}`}
      </PageHead>
      <div className={bars.bar}>
        <StateMark state={trace.state} /><span className="mono dim">{trace.id}</span><Copy value={trace.id} what="the id of the trace" />
        {parents.length > 1 && <Button size="compact-xs" variant="default" onClick={() => setFolded(folded.size > 0 ? none : new Set(parents.slice(1)))}>{folded.size > 0 ? "Unfold all" : "Fold all"}</Button>}
      </div>
      {spans.length === 0 ? <Empty title="No spans to show">{problem}</Empty> : (
        <div className={classes.split}>
          <div className={classes.list}><SpanTable rows={rows} length={lengthOf(spans)} chosen={shown?.id} onChoose={choose} onFold={fold} /></div>
          <div className={classes.side}>
            {about.length > 0 && <Judgements of={about} />}
            {shown && <SpanDetail key={shown.id} span={shown} judgements={trace.judgements.filter((j) => j.span === shown.id)} />}
          </div>
        </div>
      )}
    </>
  );
}
