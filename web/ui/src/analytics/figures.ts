// What the figures are, in words, and how they are written.
import { formatCount, plural } from "../kit/numbers";
import { formatDuration } from "../kit/time";
import type { Analytics, Burden, Figure, PeriodFigure, Spread, TeamFigure } from "./query";

/** A duration of so many seconds. */
export const sayTime = (seconds: number | null | undefined): string => (seconds === null || seconds === undefined ? "–" : formatDuration(seconds * 1000));

export const sayShare = (share: number | null | undefined): string => (share === null || share === undefined ? "–" : `${(share * 100).toFixed(share > 0 && share < 0.0995 ? 1 : 0)} %`);

export const sayRatio = (ratio: number | null | undefined): string => (ratio === null || ratio === undefined ? "–" : ratio === 0 ? "0" : ratio >= 100 ? formatCount(Math.round(ratio)) : ratio.toFixed(1));

const saySpread = ({ n, median, p90 }: Spread, of: string): string => (n === 0 ? `no incident was ${of}` : `median ${sayTime(median)}, nine of ten within ${sayTime(p90)}; ${formatCount(n)} ${of}`);

export interface Tile {
  name: string;
  value: string;
  /** What it is made of. */
  parts: string;
  /** What it means. */
  definition: string;
}

export const tiles = ({ total: t, nights }: Analytics): Tile[] => [
  { name: "MTTA, mean time to acknowledge", value: sayTime(t.timeToAcknowledge.mean), parts: saySpread(t.timeToAcknowledge, "acknowledged"), definition: "From when an incident was shown to when a person first acknowledged it, or resolved it without. Incidents that nobody acknowledged are left out." },
  { name: "MTTR, mean time to resolve", value: sayTime(t.timeToResolve.mean), parts: saySpread(t.timeToResolve, "resolved"), definition: "From an incident’s first alert to its end: a person resolved it, or its alerts had been over for the settling time (incident.settle, by default 5 minutes, which counts)." },
  { name: "Alerts per incident", value: sayRatio(t.alertsPerIncident), parts: `${plural(t.alerts, "alert")} in ${plural(t.incidents, "incident")}`, definition: "Alerts in incidents that were shown in this time, by the number of these incidents. Merged ones count once; repeats of an alert do not count." },
  { name: "Noise share", value: sayShare(t.noiseShare), parts: `${formatCount(t.untold)} of ${formatCount(t.received)} alerts`, definition: "Alerts of this time that nobody was told of, because they were silenced, inhibited, flapping, or their incident cleared before it had to be shown." },
  { name: "Ended untouched", value: sayShare(t.idleShare), parts: `${formatCount(t.idle)} of ${formatCount(t.ended)} ended incidents`, definition: "Incidents that were shown and ended without anybody having done anything to them: noise that was left." },
  { name: "Pages per night", value: sayRatio(t.pagesPerNight), parts: `${formatCount(t.nightPages)} of ${plural(t.pages, "page")} in ${plural(nights, "night")}`, definition: "A page is a notification that something fires, once for each receiver: the first, new alerts, repeats. A night is yours to choose above. Pages older than 90 days are not kept." },
];

/** A figure's members for a spreadsheet; times in seconds. */
const flat = (f: Figure) => ({
  incidents: f.incidents, alerts: f.alerts, alertsPerIncident: f.alertsPerIncident, received: f.received, untold: f.untold, noiseShare: f.noiseShare, ended: f.ended, idle: f.idle, idleShare: f.idleShare,
  acknowledged: f.timeToAcknowledge.n, mttaSeconds: f.timeToAcknowledge.mean, ttaMedianSeconds: f.timeToAcknowledge.median, ttaP90Seconds: f.timeToAcknowledge.p90,
  mttrSeconds: f.timeToResolve.mean, ttrMedianSeconds: f.timeToResolve.median, ttrP90Seconds: f.timeToResolve.p90, pages: f.pages, nightPages: f.nightPages, pagesPerNight: f.pagesPerNight,
});

export const csv = {
  periods: (list: readonly PeriodFigure[]) => list.map((p) => ({ from: p.from, to: p.to, ...flat(p.figure) })),
  teams: (list: readonly TeamFigure[]) => list.map((t) => ({ team: t.team, ...flat(t.figure) })),
  burdens: (list: readonly Burden[]) => list.map((b) => ({ ...b })),
};

/** The figures as Markdown, for the meeting on Monday. */
export function toMarkdown(a: Analytics): string {
  const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
  const teams = a.teams.map(({ team, figure: f }) => `| ${cell(team) || "no team"} | ${f.incidents} | ${sayRatio(f.alertsPerIncident)} | ${sayShare(f.noiseShare)} | ${sayTime(f.timeToAcknowledge.mean)} | ${sayTime(f.timeToResolve.mean)} | ${f.pages} | ${f.nightPages} |`);
  return [
    `**On call, ${a.from} to ${a.to}**`, "", ...tiles(a).map((t) => `- ${t.name}: ${t.value} (${t.parts})`), "",
    "| team | incidents | alerts per incident | noise | MTTA | MTTR | pages | at night |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", ...teams,
  ].join("\n");
}
