// An incident as Markdown, for chat and post-mortems.
import type { IncidentDetail } from "../../api/types";
import { plainMarkdown as plain } from "../../kit/markdown";
import { severityWord } from "../../kit/Marks";
import { plural } from "../../kit/numbers";
import { formatDuration } from "../../kit/time";

const stamp = (at: string): string => at.slice(0, 19).replace("T", " ");

export function incidentMarkdown(incident: IncidentDetail, address: string, now: number): string {
  const end = incident.endedAt ? Date.parse(incident.endedAt) : now;
  const hidden = ([["held back", incident.heldBack], ["silenced", incident.silenced], ["inhibited", incident.inhibited], ["flapping", incident.flapping]] as const)
    .filter(([, n]) => n > 0).map(([word, n]) => `${n} ${word}`);
  const lines = [
    `## ${plain(incident.title)}`,
    "",
    `[${incident.id}](${address}/incidents/${incident.id}) · ${severityWord(incident.severity)} · ${incident.state} · ${formatDuration(end - Date.parse(incident.startedAt))} (from ${stamp(incident.startedAt)}${incident.endedAt ? ` to ${stamp(incident.endedAt)}` : ""} UTC)`,
    "",
    `${plural(incident.reports, "report")}, ${plural(incident.alertCount, "alert")} → 1 incident${hidden.length > 0 ? `; ${hidden.join(", ")}` : ""}.`,
  ];
  if (incident.entities.length > 0) lines.push("", "| Hit | Alerts |", "| --- | ---: |", ...incident.entities.map((e) => `| ${plain(e.name)} (${e.kind}) | ${e.alerts} |`));
  if (incident.timeline.length > 0) {
    lines.push("", "| Time (UTC) | What | By |", "| --- | --- | --- |");
    lines.push(...incident.timeline.map((s) => `| ${stamp(s.at)} | ${s.undoneAt ? `~~${plain(s.text)}~~ (undone)` : plain(s.text)} | ${plain(s.actor)} |`));
  }
  return `${lines.join("\n")}\n`;
}
