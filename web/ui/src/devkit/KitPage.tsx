import { Button } from "@mantine/core";
import { useState } from "react";
import { ApiError } from "../api/client";
import { dispositions, severities, states, type Term } from "../api/types";
import { Copy } from "../kit/Copy";
import { Csv } from "../kit/Csv";
import { FilterBar } from "../kit/FilterBar";
import { DispositionMark, FiringMark, SeverityMark, StateMark } from "../kit/Marks";
import { MentionBox } from "../kit/MentionBox";
import { Mentioned } from "../kit/Mentioned";
import { NoiseBar } from "../kit/NoiseBar";
import { Overtaken } from "../kit/Overtaken";
import { Spark } from "../kit/Spark";
import { Empty, Failure, Loading } from "../kit/States";
import { Terms, Why } from "../kit/Terms";
import { Span, Time } from "../kit/Time";
import { failToast, sayToast, undoToast } from "../kit/toast";
import { prometheusLines } from "../kit/useAddress";
import { KitChart } from "./KitChart";
import { KitTable } from "./KitTable";
import classes from "./kit.module.css";

const spark = [1, 2, 9, 24, 40, 38, 30, 22, 18, 12, 9, 6, 4, 2, 1, 1, 0, 1, 0, 0, 2, 1, 0, 0, 0, 1, 0, 0, 0, 0];
const terms: Term[] = [
  { name: "time", weight: 1.8, detail: "Started 41 s after the first alert." },
  { name: "map", weight: 1.2, detail: "Called by checkout, one step away." },
  { name: "text", weight: -0.6, detail: "Its words are unlike those of the others." },
];

function Part({ name, children }: { name: string; children: React.ReactNode }) {
  return <section className={classes.part}><h2>{name}</h2>{children}</section>;
}

/** Every shared part in every state, to look at and to take pictures of. */
export function KitPage() {
  const [filter, setFilter] = useState("state:open,acknowledged severity:critical payment");
  const [note, setNote] = useState("");
  const ends = (n: number) => Array.from({ length: n }, (_, i) => ({ id: String(i), label: `Incident ${i}`, weight: n - i, colour: severities[i % 5] ?? "none" }));
  return (
    <div className={classes.page}>
      <h1>Kit</h1>
      <Part name="Severity"><div className={classes.row}>{severities.map((s) => <SeverityMark key={s} severity={s} />)}{severities.map((s) => <SeverityMark key={s} severity={s} short />)}</div></Part>
      <Part name="State"><div className={classes.row}>{states.map((s) => <StateMark key={s} state={s} />)}<FiringMark state="firing" /><FiringMark state="resolved" /></div></Part>
      <Part name="Told or not"><div className={classes.row}>{dispositions.map((d) => <DispositionMark key={d} disposition={d} />)}</div></Part>
      <Part name="Noise bar: one incident, some held back"><NoiseBar spark={spark} total={312} hidden={40} ends={ends(1)} summary="312 alerts, 1 incident" /></Part>
      <Part name="Noise bar: five incidents"><NoiseBar spark={spark} total={900} hidden={90} ends={ends(5)} summary="900 alerts, 5 incidents" /></Part>
      <Part name="Noise bar: one alert; nothing told"><NoiseBar spark={[1]} total={1} hidden={0} ends={ends(1)} height={28} summary="1 alert" /><NoiseBar spark={spark} total={60} hidden={60} ends={[]} height={28} summary="60 alerts, none told" /></Part>
      <Part name="Spark"><div className={classes.row}><Spark values={spark} label="Many" /><Spark values={[0, 0, 1, 0]} label="One" /><Spark values={[]} label="None" /></div></Part>
      <Part name="Time"><div className={classes.row}><Time at={new Date().toISOString()} /><Time at="2026-01-01T00:00:00Z" /><Span from="2026-01-01T00:00:00Z" to="2026-01-01T02:05:00Z" /></div></Part>
      <Part name="Terms and why"><Terms terms={terms} /><Why terms={terms} /></Part>
      <Part name="Filter"><FilterBar value={filter} onChange={setFilter} choices={{ state: states, severity: severities }} placeholder="Filter" label="Filter of the kit" /><p className="mono">{filter || "(empty)"}</p></Part>
      <Part name="Table"><KitTable /></Part>
      <Part name="Series: usual and abnormal, compared, together, none"><KitChart /></Part>
      <Part name="Save and copy"><div className={classes.row}><Csv name="kit" rows={terms} /><Csv name="kit" rows={[]} what="nothing" /><Copy value="kit" /><Copy value="kit" label="Copy as Markdown" /></div></Part>
      <Part name="Somebody else saved meanwhile"><Overtaken what="the kit" theirs={[["Title", "theirs"], ["Comment", "the same"]]} mine={[["Title", ""], ["Comment", "the same"]]} onTake={() => undefined} onKeep={() => undefined} /><Overtaken what="the kit" saving theirs={[["Title", "the same"]]} mine={[["Title", "the same"]]} onTake={() => undefined} onKeep={() => undefined} /></Part>
      <Part name="Note with mentions"><MentionBox label="Note" rows={1} value={note} onChange={setNote} onSubmit={() => setNote("")} placeholder="Write a note; name people with @" /><p><Mentioned text={note || "@ann, please look"} /></p></Part>
      <Part name="Toasts"><div className={classes.row}>
        <Button variant="default" onClick={() => undoToast("Acknowledged INC-12", () => sayToast("Undone: Acknowledged INC-12"))}>Undo</Button>
        <Button variant="default" onClick={() => sayToast("Note added to INC-12")}>Say</Button>
        <Button variant="default" onClick={() => failToast("Could not resolve INC-12", new ApiError(409, { detail: "INC-12 is resolved already.", id: "req-7f3a" }))}>Fail</Button>
      </div></Part>
      <Part name="Loading"><Loading rows={4} /></Part>
      <Part name="Empty"><Empty title="No alert has arrived yet" paste={{ caption: "Put this into prometheus.yml and reload Prometheus:", lines: prometheusLines("127.0.0.1:8460") }}>Incidents appear here by themselves.</Empty></Part>
      <Part name="Failure"><Failure error={new ApiError(503, { title: "The store does not answer", detail: "ops.db: the disk is full. Alerts already accepted are kept.", id: "req-7f3a91c2", errors: [{ field: "data.dir", remedy: "free some space" }] })} retry={() => undefined} /></Part>
    </div>
  );
}
