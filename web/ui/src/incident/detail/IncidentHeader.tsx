import { ActionIcon, Button, Menu } from "@mantine/core";
import { useClipboard } from "@mantine/hooks";
import { IconDots } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { IncidentDetail } from "../../api/types";
import { meQuery } from "../../api/session";
import { SeverityMark, StateMark } from "../../kit/Marks";
import { Span, Time } from "../../kit/Time";
import { allows, type Actions } from "../actions";
import { incidentMarkdown } from "./markdown";
import classes from "./detail.module.css";

interface Props {
  incident: IncidentDetail;
  actions: Actions;
  onMerge: () => void;
  onNote: () => void;
  onOwn: () => void;
  onSilence: () => void;
  /** Splits what is selected in the alerts; undefined while nothing is. */
  onSplit: (() => void) | undefined;
  chosen: number;
}

export function IncidentHeader({ incident, actions, onMerge, onNote, onOwn, onSilence, onSplit, chosen }: Props) {
  const { id, state } = incident;
  const self = useQuery(meQuery).data?.user ?? "";
  const clipboard = useClipboard({ timeout: 1_500 });
  return (
    <header className={classes.header}>
      <div className={classes.words}>
        <p className={classes.crumb}><Link to="/" search={{}} className="link">Incidents</Link> <span className="dim">/ {id}</span></p>
        <h1 className={classes.title}>{incident.title}</h1>
        <div className={classes.marks}>
          <SeverityMark severity={incident.severity} />
          <StateMark state={state} />
          <span className="dim">{incident.endedAt ? "lasted" : "for"} <Span from={incident.startedAt} to={incident.endedAt} /></span>
          <span className="dim">started <Time at={incident.startedAt} /></span>
          {incident.acknowledgedAt && state === "acknowledged" && <span className="dim">acknowledged <Time at={incident.acknowledgedAt} /></span>}
          <span className="dim">{incident.owner ? <>{incident.owner === self ? "yours" : `of ${incident.owner}`}</> : "no owner"}</span>
          {incident.mergedInto && <span>merged into <Link to="/incidents/$id" params={{ id: incident.mergedInto }} search={{}} className="link">{incident.mergedInto}</Link></span>}
        </div>
      </div>
      <div className={classes.actions}>
        {actions.may && allows.acknowledge(state) && <Button onClick={() => void actions.acknowledge([id])} rightSection={<kbd>e</kbd>}>Acknowledge</Button>}
        {actions.may && !incident.owner && self && <Button variant="default" onClick={() => void actions.own([id], self, self)}>Take</Button>}
        {actions.may && allows.resolve(state) && <Button variant="default" onClick={() => void actions.resolve([id])} rightSection={<kbd>r</kbd>}>Resolve</Button>}
        {actions.may && allows.reopen(state) && <Button variant="default" onClick={() => void actions.reopen([id])}>Reopen</Button>}
        <Button variant="default" className={classes.copy} onClick={() => clipboard.copy(incidentMarkdown(incident, window.location.origin, Date.now()))}>{clipboard.copied ? "Copied" : "Copy as Markdown"}</Button>
        {!actions.may && <span className="dim" title="An admin gives roles">your role reads</span>}
        {actions.may && <Menu position="bottom-end" shadow="md" width={240}>
          <Menu.Target><ActionIcon variant="default" size={30} aria-label="More actions"><IconDots size={16} /></ActionIcon></Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={onMerge} disabled={!allows.merge(state)} rightSection={<kbd>m</kbd>}>Merge into…</Menu.Item>
            <Menu.Item onClick={onSplit} disabled={!onSplit}>{chosen > 0 ? `Split ${chosen} selected alerts off` : "Split: select alerts first"}</Menu.Item>
            <Menu.Item onClick={onOwn} rightSection={<kbd>a</kbd>}>Give to…</Menu.Item>
            <Menu.Item onClick={onSilence}>{chosen > 0 ? `Silence ${chosen} selected alerts…` : "Silence its alerts…"}</Menu.Item>
            <Menu.Item onClick={onNote} rightSection={<kbd>n</kbd>}>Add a note…</Menu.Item>
          </Menu.Dropdown>
        </Menu>}
      </div>
    </header>
  );
}
