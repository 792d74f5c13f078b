import { Link } from "@tanstack/react-router";
import { Csv } from "../kit/Csv";
import { formatCount, plural } from "../kit/numbers";
import classes from "./analytics.module.css";
import { csv, sayRatio, sayShare, sayTime } from "./figures";
import type { Analytics, Burden, TeamFigure } from "./query";
import { Table, type Cell } from "./Table";

const teamCells: Cell<TeamFigure>[] = [
  { header: "Team", of: ({ team }) => <Link to="." search={(old) => ({ ...old, q: team || "-" })} title={`Only ${team || "what has no team"}`}>{team || <span className="dim">no team</span>}</Link> },
  { header: "Incidents", of: ({ figure }) => formatCount(figure.incidents) },
  { header: "Alerts per incident", of: ({ figure }) => sayRatio(figure.alertsPerIncident) },
  { header: "Noise share", of: ({ figure }) => sayShare(figure.noiseShare) },
  { header: "Ended untouched", of: ({ figure }) => sayShare(figure.idleShare) },
  { header: "MTTA", of: ({ figure }) => sayTime(figure.timeToAcknowledge.mean) },
  { header: "MTTR", of: ({ figure }) => sayTime(figure.timeToResolve.mean) },
  { header: "Pages", of: ({ figure }) => formatCount(figure.pages) },
  { header: "at night", of: ({ figure }) => formatCount(figure.nightPages) },
  { header: "per night", of: ({ figure }) => sayRatio(figure.pagesPerNight) },
];

const name: Cell<Burden> = { header: "Name", of: (b) => b.name };
const paged: Cell<Burden>[] = [
  { header: "Pages", of: (b) => formatCount(b.pages) },
  { header: "at night", of: (b) => formatCount(b.nightPages) },
  { header: "per night", of: (b) => sayRatio(b.pagesPerNight) },
  { header: "Nights paged", of: (b) => formatCount(b.nights) },
  { header: "Worst night", of: (b) => (b.worstNight > 0 ? <span title={`The night that began on ${b.worstNightOn}`}>{plural(b.worstNight, "page")}, {b.worstNightOn}</span> : <span className="dim">none</span>) },
];
const people: Cell<Burden> = { header: "People", left: true, of: (b) => (b.people.length > 0 ? b.people.join(", ") : <span className="dim" title="Name a receiver like a person, or like a team, and its pages count for that person or for the team’s responders.">nobody known by this name</span>) };
const acted: Cell<Burden>[] = [
  { header: "Acknowledged", title: "Incidents that the person was the first to acknowledge", of: (b) => formatCount(b.acknowledged) },
  { header: "Acts", title: "What the person did to incidents", of: (b) => formatCount(b.acts) },
  { header: "Acts at night", of: (b) => formatCount(b.nightActs) },
];

function Section({ title, words, rows, file, children }: { title: string; words: string; rows: readonly object[]; file: string; children: React.ReactNode }) {
  return (
    <section className={classes.section}>
      <div className={classes.sectionHead}><h2>{title}</h2><p className="dim">{words}</p><Csv name={file} rows={rows} what={title.toLowerCase()} /></div>
      {rows.length > 0 ? children : <p className="dim">Nothing in this time.</p>}
    </section>
  );
}

/** Who bore how much: teams, receivers, people. */
export function Sections({ data }: { data: Analytics }) {
  return (
    <>
      <Section title="By team" words="What belongs to several teams counts for each. The team is the label team of the alerts." rows={csv.teams(data.teams)} file="fairlead-teams"><Table label="By team" rows={data.teams} cells={teamCells} rowKey={(t) => t.team} /></Section>
      <Section title="By person" words="A receiver’s pages count for the person of its name, or for the responders of the team of its name." rows={csv.burdens(data.people)} file="fairlead-people"><Table label="By person" rows={data.people} cells={[name, ...paged, ...acted]} rowKey={(b) => b.name} /></Section>
      <Section title="By receiver" words="Receivers are those of your alertmanager.yml." rows={csv.burdens(data.receivers)} file="fairlead-receivers"><Table label="By receiver" rows={data.receivers} cells={[name, people, ...paged]} rowKey={(b) => b.name} /></Section>
    </>
  );
}
