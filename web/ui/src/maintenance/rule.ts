// Recurrence rules of RFC 5545: the usual ones in words and as choices, all others as text.

export const days = [["MO", "Monday"], ["TU", "Tuesday"], ["WE", "Wednesday"], ["TH", "Thursday"], ["FR", "Friday"], ["SA", "Saturday"], ["SU", "Sunday"]] as const;

export type Repeat = "once" | "daily" | "weekly" | "monthly" | "custom";

/** What the form edits: a usual rule taken apart, or the text of another. */
export interface Choice {
  repeat: Repeat;
  /** Every so many days, weeks or months. */
  every: number;
  /** Of a week: MO, TU and so on. */
  on: string[];
  /** The rule itself, for custom. */
  text: string;
}

const frequencies: Record<string, Repeat> = { DAILY: "daily", WEEKLY: "weekly", MONTHLY: "monthly" };

const partsOf = (rule: string): Record<string, string> => Object.fromEntries(rule.replace(/^RRULE:/i, "").split(";").filter(Boolean).map((part) => { const [name = "", value = ""] = part.split("="); return [name.toUpperCase(), value.toUpperCase()]; }));

export function readRule(rule: string): Choice {
  const plain: Choice = { repeat: "once", every: 1, on: [], text: rule };
  if (rule.trim() === "") return plain;
  const { FREQ = "", INTERVAL = "1", BYDAY = "", ...rest } = partsOf(rule);
  const repeat = frequencies[FREQ];
  const on = BYDAY.split(",").filter(Boolean);
  const usual = repeat && Object.keys(rest).length === 0 && /^\d+$/.test(INTERVAL) && on.every((d) => days.some(([code]) => code === d)) && (repeat === "weekly" || on.length === 0);
  return usual ? { ...plain, repeat, every: Number(INTERVAL), on } : { ...plain, repeat: "custom" };
}

export function writeRule({ repeat, every, on, text }: Choice): string {
  if (repeat === "once") return "";
  if (repeat === "custom") return text.trim();
  const parts = [`FREQ=${repeat.toUpperCase()}`];
  if (every > 1) parts.push(`INTERVAL=${every}`);
  if (repeat === "weekly" && on.length > 0) parts.push(`BYDAY=${days.map(([code]) => code).filter((code) => on.includes(code)).join(",")}`);
  return parts.join(";");
}

/** The rule in words, or as it is when it is no usual one. */
export function sayRule(rule: string): string {
  const { repeat, every, on } = readRule(rule);
  if (repeat === "once") return "once";
  if (repeat === "custom") return rule;
  const unit = { daily: "day", weekly: "week", monthly: "month" }[repeat];
  const names = days.filter(([code]) => on.includes(code)).map(([, name]) => name);
  return `every ${every > 1 ? `${every} ${unit}s` : unit}${names.length > 0 ? ` on ${names.join(", ")}` : ""}`;
}
