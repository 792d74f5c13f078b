import type { Alert } from "../api/types";
import { markdownOf } from "../kit/markdown";
import { severityWord } from "../kit/Marks";
import { sentenceOf } from "./filter";

/** An alert as Markdown, for chat. */
export function alertMarkdown(alert: Alert, address: string): string {
  return markdownOf(`${alert.name}: ${sentenceOf(alert)}`, `${address}/alerts/${alert.id}`, [
    ["severity", severityWord(alert.severity)], ["state", alert.state], ["told", alert.disposition], ["from", `${alert.startsAt}${alert.endsAt ? ` to ${alert.endsAt}` : ""}`],
    ["incident", alert.incident], ...Object.entries(alert.labels),
  ]);
}
