// What the report says, in shapes for the picture, the table and the clipboard.
import { severities, type Severity, type TeeComparison, type TeeReport } from "../api/types";
import type { NoiseEnd } from "../kit/noise";
import { formatCount, plural } from "../kit/numbers";
import { formatDuration } from "../kit/time";

export const verdicts: readonly TeeComparison["verdict"][] = ["missed", "later", "extra", "same"];

/** What a verdict means, in words. */
export const meaning: Record<TeeComparison["verdict"], string> = {
  missed: "The tool told somebody, Fairlead would not have.",
  later: "Fairlead would have told later than allowed.",
  extra: "Fairlead would have told, the tool did not.",
  same: "Both told, in time.",
};

export const severityOf = (text: string): Severity => severities.find((s) => s === text) ?? "none";

/** How much later Fairlead told, in milliseconds; negative when it was earlier, undefined when one of them did not tell. */
export function delay({ toldAt, shownAt }: TeeComparison): number | undefined {
  return toldAt && shownAt ? Date.parse(shownAt) - Date.parse(toldAt) : undefined;
}

export function sayDelay(ms: number | undefined): string {
  if (ms === undefined) return "";
  if (Math.abs(ms) < 1_000) return "at once";
  return ms > 0 ? `${formatDuration(ms)} later` : `${formatDuration(-ms)} earlier`;
}

const buckets = 30;
const mostEnds = 9;

/** The tool's notifications over time, the incidents that they would have been, and how many would have led to none. */
export function pictureOf(report: TeeReport): { spark: number[]; ends: NoiseEnd[]; missed: number } {
  const [from, to] = [Date.parse(report.from), Date.parse(report.to)];
  const spark = Array<number>(buckets).fill(0);
  for (const { toldAt, notifications } of report.incidents) {
    if (!toldAt) continue;
    const at = Math.min(buckets - 1, Math.max(0, Math.floor(((Date.parse(toldAt) - from) / Math.max(1, to - from)) * buckets)));
    spark[at] = (spark[at] ?? 0) + notifications;
  }
  const ends = report.incidents.filter((c) => c.verdict !== "missed" && c.notifications > 0).sort((a, b) => b.notifications - a.notifications).slice(0, mostEnds)
    .map((c) => ({ id: c.incident ?? c.title, label: c.title, weight: c.notifications, colour: severityOf(c.severity) }));
  const missed = report.incidents.reduce((sum, c) => sum + (c.verdict === "missed" ? c.notifications : 0), 0);
  return { spark, ends, missed };
}

/** The report in one sentence. */
export const headline = (report: TeeReport): string =>
  `${plural(report.notifications, "notification")} → ${plural(report.pages, "page")}${report.avoided > 0 ? `, ${formatCount(report.avoided)} avoided` : ""}`;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

/** The report as Markdown, for chat and the meeting on Monday. */
export function toMarkdown(report: TeeReport): string {
  const line = (c: TeeComparison): string => `| ${c.verdict} | ${cell([c.incident, c.title].filter(Boolean).join(" "))} | ${c.severity} | ${c.notifications} | ${c.toldAt ?? ""} | ${c.shownAt ?? ""} | ${cell(c.why)} |`;
  return [
    `**Today's tool beside Fairlead, ${report.from} to ${report.to}**`, "", `${headline(report)}. ${verdicts.map((v) => `${formatCount(report[v])} ${v}`).join(", ")}.${report.muted ? ` The tool muted ${plural(report.muted, "alert")}.` : ""}`, "",
    "| verdict | incident | severity | notifications | tool told at | Fairlead told at | why |", "| --- | --- | --- | ---: | --- | --- | --- |", ...report.incidents.map(line),
  ].join("\n");
}
