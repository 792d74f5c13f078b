import { Button, Drawer, Group } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import { useResponder } from "../api/session";
import { BandChart } from "../explore/BandChart";
import { linesQuery, seriesName } from "../explore/query";
import { writeRange } from "../explore/range";
import { sayNumber } from "../explore/say";
import { offerUndo } from "../kit/offerUndo";
import { Failure, Loading } from "../kit/States";
import { Span, Time } from "../kit/Time";
import { failToast } from "../kit/toast";
import classes from "./anomaly.module.css";
import { Going, sayRate, Told } from "./columns";
import { anomalyKey, anomalyQuery, judge, type Anomaly, type AnomalyFinding, type Feedback } from "./query";

/** The anomaly named in the URL: what, since when, why it was told or not, and its series with what is usual. */
export function AnomalyDrawer() {
  const { anomaly } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const close = (): void => void navigate({ to: ".", search: (old) => ({ ...old, anomaly: undefined }) });
  return (
    <Drawer opened={anomaly !== undefined} onClose={close} position="right" size={760} title="Anomaly" closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      {anomaly && <Detail id={anomaly} />}
    </Drawer>
  );
}

function Detail({ id }: { id: string }) {
  const { data, error, isPending, refetch } = useQuery(anomalyQuery(id));
  if (isPending) return <Loading label="Loading the anomaly" rows={6} />;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  const of = data;
  return (
    <>
      <h2 style={{ margin: 0, fontSize: 16 }}>{of.title}</h2>
      <dl className={classes.facts}>
        <dt>Of</dt><dd>{of.entity}{of.team && <span className="dim"> team {of.team}</span>}</dd>
        <dt>State</dt><dd><Going of={of} /> {of.active > 0 && <span className="dim">{of.active} of {of.series} series are still abnormal</span>}</dd>
        <dt>Since</dt><dd><Time at={of.since} />, for <Span from={of.since} to={of.endedAt ?? (of.active === 0 ? of.lastAt : undefined)} /></dd>
        <dt>People</dt><dd><Told of={of} /> <span className="dim">{of.why}</span>{of.others > 0 && <span className="dim"> Told with it: {of.others} other entities.</span>}</dd>
        <dt>Evidence</dt><dd>{of.evidence.toFixed(1)} powers of ten <span className="dim">; one of as much comes {sayRate(of.rate)}</span></dd>
      </dl>
      <Judge of={of} />
      {of.findings.map((f) => <Finding key={f.series + f.at} of={f} until={of.endedAt ?? undefined} />)}
    </>
  );
}

function Judge({ of }: { of: Anomaly }) {
  const queries = useQueryClient();
  const may = useResponder();
  const say = (feedback: Feedback, words: string): void => {
    const was = of.feedback;
    const set = async (f: Feedback): Promise<void> => { await judge(of.id, f); await queries.invalidateQueries({ queryKey: anomalyKey }); };
    set(feedback).then(() => offerUndo(words, () => set(was)), (failure: unknown) => failToast("Could not keep it", failure));
  };
  return (
    <Group gap={8} mb={20}>
      {may && <Button size="compact-sm" variant={of.feedback === "useful" ? "filled" : "default"} onClick={() => say(of.feedback === "useful" ? "" : "useful", "Said to be useful")} aria-pressed={of.feedback === "useful"}>Useful</Button>}
      {may && <Button size="compact-sm" variant={of.feedback === "normal" ? "filled" : "default"} onClick={() => say(of.feedback === "normal" ? "" : "normal", "Said to be normal")} aria-pressed={of.feedback === "normal"}>Normal, fewer like it</Button>}
      {of.feedback && <span className="dim">{of.judge} said it was {of.feedback}; its series are judged accordingly.</span>}
    </Group>
  );
}

const hour = 3_600_000;

function Finding({ of, until }: { of: AnomalyFinding; until: string | undefined }) {
  const at = Date.parse(of.at);
  const from = at - 5 * hour, to = Math.max(at + hour, until ? Date.parse(until) : 0);
  const selector = seriesName(of.labels);
  const { data } = useQuery(linesQuery(selector, from, to, false));
  const lines = useMemo(() => data?.lines.slice(0, 1) ?? [], [data]);
  // A series that has hardly begun fills the chart too.
  const times = lines[0]?.times ?? [];
  const [first = from, last = to] = [times[0], times.at(-1)];
  return (
    <section className={classes.finding}>
      <h3><Link to="/explore" search={{ q: selector, ...writeRange(from, to) }} className="link" title="Explore this series">{selector}</Link></h3>
      <p>{of.summary} {of.test !== "absent" && <span className="dim">Expected was {sayNumber(of.expected)}.</span>}</p>
      <p className="dim">{of.explain} ({of.test}). As rare a value comes about {sayRate(of.weekly)} in this series.</p>
      {lines.length > 0 && <BandChart lines={lines} from={Math.max(from, first)} to={Math.max(Math.min(to, last), first + 1)} height={150} />}
    </section>
  );
}
