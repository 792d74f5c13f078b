import { Tabs } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { incidentQuery } from "../../api/queries";
import { meQuery } from "../../api/session";
import type { IncidentDetail } from "../../api/types";
import { useConnection } from "../../app/Connection";
import { useCommands } from "../../kit/commands";
import { useKeys } from "../../kit/keys";
import { formatCount } from "../../kit/numbers";
import { ToldTab, useTold } from "../../delivery/ToldTab";
import { Failure, Loading } from "../../kit/States";
import { matchersFor, packMatchers } from "../../silence/draft";
import { allows, useActions } from "../actions";
import { PickOther } from "../MergeDialog";
import { OwnDialog } from "../OwnDialog";
import { AlertsTab } from "./AlertsTab";
import { readRange } from "./axis";
import { DecisionsTab } from "./DecisionsTab";
import { HitPanel } from "./HitPanel";
import { IncidentHeader } from "./IncidentHeader";
import { IncidentNoise } from "./IncidentNoise";
import { NoteBox, NoteDialog } from "./NoteDialog";
import { TimeAxis } from "./TimeAxis";
import { Timeline } from "./Timeline";
import { useIncidentAlerts } from "./useIncidentAlerts";
import { useSteps } from "./useSteps";
import classes from "./detail.module.css";

export function IncidentPage() {
  const { id } = useParams({ from: "/incidents/$id" });
  const { data, error, isPending, refetch } = useQuery(incidentQuery(id));
  if (isPending) return <Loading label="Loading the incident" />;
  if (!data) return <Failure error={error} retry={() => void refetch()} />;
  return <Loaded key={id} incident={data} />;
}

type Dialog = "merge" | "move" | "note" | "own" | undefined;

function Loaded({ incident }: { incident: IncidentDetail }) {
  const { id, state } = incident;
  const search = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const actions = useActions();
  const self = useQuery(meQuery).data?.user ?? "";
  const { alerts, more, complete } = useIncidentAlerts(id);
  const { steps, earlier } = useSteps(incident);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<Dialog>();
  const stale = useConnection() === "lost";
  const range = useMemo(() => readRange(search.from, search.to), [search.from, search.to]);
  const { rows: told } = useTold(id);
  const tab = search.tab ?? "timeline";
  const chosen = useMemo(() => [...selected].filter((a) => alerts.some((alert) => alert.id === a)), [selected, alerts]);
  useDocumentTitle(`${id} ${incident.title}`);

  const go = (to: string): void => void navigate({ to: "/incidents/$id", params: { id: to }, search: {} });
  const silence = (): void => void navigate({ to: "/silences", search: { pick: "new", match: packMatchers(matchersFor(chosen.length > 0 ? alerts.filter((a) => selected.has(a.id)) : alerts)) } });
  const split = (): void => void actions.split(id, chosen).then((made) => { if (made) setSelected(new Set()); });
  const acknowledge = (): void => { if (allows.acknowledge(state)) void actions.acknowledge([id]); };
  const resolve = (): void => { if (allows.resolve(state)) void actions.resolve([id]); };
  useKeys({ e: acknowledge, r: resolve, m: () => { if (actions.may && allows.merge(state)) setDialog("merge"); }, n: () => { if (actions.may) setDialog("note"); }, a: () => { if (actions.may) setDialog("own"); }, Escape: () => { if (selected.size > 0) setSelected(new Set()); else void navigate({ to: "/", search: {} }); } });
  useCommands(useMemo(() => (!actions.may ? [] : [
    ...(allows.acknowledge(state) ? [{ id: "ack", label: `Acknowledge ${id}`, run: () => void actions.acknowledge([id]) }] : []),
    ...(allows.resolve(state) ? [{ id: "resolve", label: `Resolve ${id}`, run: () => void actions.resolve([id]) }] : []),
    ...(allows.reopen(state) ? [{ id: "reopen", label: `Reopen ${id}`, run: () => void actions.reopen([id]) }] : []),
    ...(allows.merge(state) ? [{ id: "merge", label: `Merge ${id} into…`, run: () => setDialog("merge") }] : []),
    { id: "own", label: `Give ${id} to…`, run: () => setDialog("own") },
    { id: "note", label: `Add a note to ${id}…`, run: () => setDialog("note") },
  ]), [actions, id, state]));

  return (
    <div className={classes.page} data-stale={stale || undefined}>
      <IncidentHeader incident={incident} actions={actions} chosen={chosen.length} onMerge={() => setDialog("merge")} onNote={() => setDialog("note")} onOwn={() => setDialog("own")} onSilence={silence} onSplit={chosen.length > 0 ? split : undefined} />
      <IncidentNoise incident={incident} />
      <div className={classes.panels}>
        <HitPanel incident={incident} alerts={alerts} />
        <TimeAxis incident={incident} alerts={alerts} complete={complete} from={search.from} to={search.to} />
      </div>
      <Tabs value={tab} onChange={(value) => void navigate({ to: ".", replace: true, search: (old) => ({ ...old, tab: value === "timeline" || value === null ? undefined : value }) })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="timeline">Timeline ({formatCount(steps.length)}{earlier.load && "+"})</Tabs.Tab>
          <Tabs.Tab value="alerts">Alerts ({formatCount(incident.alertCount)})</Tabs.Tab>
          {(told.length > 0 || tab === "told") && <Tabs.Tab value="told">Told ({formatCount(told.length)})</Tabs.Tab>}
          <Tabs.Tab value="decisions">Decisions</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="timeline">{actions.may && <NoteBox onSave={(text) => actions.note(id, text)} />}<Timeline steps={steps} earlier={earlier} range={range} actions={actions} /></Tabs.Panel>
        <Tabs.Panel value="alerts"><AlertsTab alerts={alerts} complete={complete} more={more} range={range} selected={selected} onSelect={setSelected} onSplit={split} onMove={() => setDialog("move")} may={actions.may} /></Tabs.Panel>
        <Tabs.Panel value="told" className={classes.tab}><ToldTab incident={id} /></Tabs.Panel>
        <Tabs.Panel value="decisions"><DecisionsTab alerts={alerts} more={more} /></Tabs.Panel>
      </Tabs>
      {dialog === "merge" && <PickOther not={id} title={`Merge ${id} into another incident`} verb={(into) => `Merge into ${into}`} onClose={() => setDialog(undefined)} onPick={(into) => { setDialog(undefined); void actions.merge(into, [id]).then((done) => { if (done) go(into); }); }} />}
      {dialog === "move" && <PickOther not={id} title={`Move ${formatCount(chosen.length)} alerts to another incident`} verb={(into) => `Move to ${into}`} onClose={() => setDialog(undefined)} onPick={(into) => { setDialog(undefined); void actions.assign(into, chosen).then((done) => { if (done) setSelected(new Set()); }); }} />}
      {dialog === "own" && <OwnDialog what={id} onClose={() => setDialog(undefined)} onPick={(owner) => { setDialog(undefined); if (owner !== (incident.owner ?? "")) void actions.own([id], owner, self); }} />}
      {dialog === "note" && <NoteDialog id={id} onClose={() => setDialog(undefined)} onSave={(text) => { setDialog(undefined); void actions.note(id, text); }} />}
    </div>
  );
}
