import { useQuery } from "@tanstack/react-query";
import { formatCount } from "../kit/numbers";
import { Empty, Failure, Loading } from "../kit/States";
import { Time } from "../kit/Time";
import classes from "./anomaly.module.css";
import { budgetQuery, type AnomalyBudget } from "./query";

/** How many anomalies are welcome, how many were told, and whether the evidence keeps what it says. */
export function BudgetTab() {
  const { data, error, isPending, refetch } = useQuery(budgetQuery);
  if (isPending) return <Loading label="Loading the budget" rows={6} />;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <div className={classes.page}>
      <p className="dim">{formatCount(data.watched)} series are judged, {formatCount(data.unwatched)} are stored only. {formatCount(data.judged)} values were judged since the start; {formatCount(data.skipped)} could not be.</p>
      {data.teams.length === 0 && <Empty title="Nothing abnormal yet">What is told of anomalies, and what is welcome, appears here with the first one. How many are welcome is anomaly.budget in the configuration.</Empty>}
      {data.teams.map((team) => <Team key={team.team} of={team} />)}
    </div>
  );
}

function Team({ of }: { of: AnomalyBudget }) {
  const most = Math.floor(of.asked * 1.5);
  const told = of.told;
  return (
    <section className={classes.team}>
      <h2>{of.team ? `Team ${of.team}` : "Series without a team"}</h2>
      <p style={{ margin: 0 }}>{told.length} told in the last seven days; {of.asked} a week are welcome, and never more than {most}.{told.length > 0 && <> The last <Time at={told.at(-1) ?? ""} />.</>}</p>
      {most <= 40 && (
        <div className={classes.gauge} aria-hidden>
          {Array.from({ length: most }, (_, i) => <span key={i} data-used={i < told.length || undefined} data-over={i >= of.asked || undefined} />)}
        </div>
      )}
      <dl className={classes.facts}>
        <dt>Asked</dt><dd>{of.asked} a week</dd>
        <dt>Realised</dt><dd>{told.length} in seven days, {of.tells} since the beginning</dd>
        <dt>By chance</dt><dd>{of.expected.toFixed(1)} of those were expected from chance alone</dd>
        <dt>Held back</dt><dd>{of.held} because the budget was used up</dd>
        <dt>Anomalies</dt><dd>{of.groups.toFixed(0)} a week, told or not</dd>
        <dt>Correction</dt><dd>{of.factor.toFixed(2)} of the rate that is asked for <span className="dim">; it falls with each that is told, and rises again with time</span></dd>
      </dl>
      <Curve counts={of.curve} />
    </section>
  );
}

/** Anomalies by their p-value: even where what is said of the evidence is true. */
function Curve({ counts }: { counts: number[] }) {
  const all = counts.reduce((a, b) => a + b, 0);
  const top = Math.max(...counts, 1);
  const even = 100 - (all / 10 / top) * 96;
  const words = all === 0 ? "No anomaly has ended yet" : `Of ${all} anomalies, by p-value in tenths: ${counts.join(", ")}; even would be ${Math.round(all / 10)} each`;
  return (
    <figure style={{ margin: 0 }}>
      <figcaption className="dim">Calibration: anomalies by p-value, 0 to 1. Even bars mean that “one in a hundred” comes once in a hundred.</figcaption>
      <svg className={classes.curve} viewBox="0 0 200 100" preserveAspectRatio="none" role="img" aria-label={words}>
        {counts.map((n, i) => <rect key={i} x={i * 20 + 1} width={18} y={100 - (n / top) * 96} height={(n / top) * 96} />)}
        {all > 0 && <path d={`M0 ${even.toFixed(1)}H200`} vectorEffect="non-scaling-stroke" />}
      </svg>
      <p className="dim" style={{ margin: 0 }}>{words}.</p>
    </figure>
  );
}
