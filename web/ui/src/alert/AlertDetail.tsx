import { Anchor, Button, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { alertQuery } from "../api/queries";
import { useResponder } from "../api/session";
import type { Alert } from "../api/types";
import { Copy } from "../kit/Copy";
import { DispositionMark, FiringMark, SeverityMark } from "../kit/Marks";
import { plural } from "../kit/numbers";
import { Failure, Loading } from "../kit/States";
import { Terms } from "../kit/Terms";
import { Span, Time } from "../kit/Time";
import { matchersFor, packMatchers } from "../silence/draft";
import classes from "./alert.module.css";
import { DecisionRecord } from "./DecisionRecord";
import { sentenceOf } from "./filter";
import { alertMarkdown } from "./markdown";

/** A link only where the address is one of the web; anything else is shown as text. */
function Value({ text }: { text: string }) {
  return /^https?:\/\//.test(text) ? <Anchor href={text} target="_blank" rel="noreferrer noopener" size="sm">{text}</Anchor> : <>{text}</>;
}

function Pairs({ caption, pairs }: { caption: string; pairs: Record<string, string> }) {
  const entries = Object.entries(pairs).sort(([a], [b]) => a.localeCompare(b));
  if (entries.length === 0) return null;
  return (
    <section className={classes.section}>
      <h3>{caption}</h3>
      <table className={classes.pairs}>
        <tbody>{entries.map(([name, value]) => <tr key={name}><th scope="row" className="mono">{name}</th><td><Value text={value} /></td></tr>)}</tbody>
      </table>
    </section>
  );
}

function Facts({ alert }: { alert: Alert }) {
  return (
    <div className={classes.marks}>
      <SeverityMark severity={alert.severity} />
      <FiringMark state={alert.state} />
      <DispositionMark disposition={alert.disposition} />
      <span className="dim">{alert.state === "firing" ? "for" : "lasted"} <Span from={alert.startsAt} to={alert.endsAt} /></span>
      <span className="dim">{plural(alert.reports, "report")}, last <Time at={alert.lastReceivedAt} /></span>
      {alert.flaps > 0 && <span className="dim">{plural(alert.flaps, "flap")}</span>}
      <span className="dim">from {alert.source}</span>
    </div>
  );
}

export function AlertDetail({ id }: { id: string }) {
  const { data: alert, error, isPending, refetch } = useQuery(alertQuery(id));
  const may = useResponder();
  if (isPending) return <Loading label="Loading the alert" />;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <article className={classes.detail}>
      <h2 className={classes.heading}>{sentenceOf(alert)}</h2>
      <Facts alert={alert} />
      <Group gap={8}>
        {may && <Button variant="default" size="compact-xs" renderRoot={(props) => <Link to="/silences" search={{ pick: "new", match: packMatchers(matchersFor([alert])) }} {...props} />}>Silence…</Button>}
        <Copy value={alertMarkdown(alert, window.location.origin)} label="Copy as Markdown" />
      </Group>
      <section className={classes.section}>
        <h3>Why {alert.disposition === "told" ? "you were told" : "you were not told"}</h3>
        <DecisionRecord alert={alert.id} />
      </section>
      <section className={classes.section}>
        <h3>{alert.incident ? <>Why it is in <Link to="/incidents/$id" params={{ id: alert.incident }} search={{}} className="link">{alert.incident}</Link></> : "In no incident"}</h3>
        {alert.why.length > 0 ? <Terms terms={alert.why} /> : <span className="dim">{alert.incident ? "It opened the incident, or was put there by hand." : "It was held before it reached one."}</span>}
      </section>
      <Pairs caption="Labels" pairs={alert.labels} />
      <Pairs caption="Annotations" pairs={alert.annotations} />
      <Pairs caption="Identity" pairs={{ id: alert.id, fingerprint: alert.fingerprint, ...(alert.generatorURL ? { generator: alert.generatorURL } : {}), ...(alert.silencedBy?.length ? { "silenced by": alert.silencedBy.join(", ") } : {}), ...(alert.inhibitedBy?.length ? { "inhibited by": alert.inhibitedBy.join(", ") } : {}) }} />
    </article>
  );
}
