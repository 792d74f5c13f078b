// What can come next in a filter of MLflow's grammar.
import { fieldOf, type ExperimentKeys } from "./query";

const attributes = ["attributes.run_name", "attributes.status", "attributes.start_time", "attributes.end_time", "attributes.user_id", "attributes.run_id", "datasets.name", "datasets.digest"];
const numbers = /^(metrics\.|attributes\.(start_time|end_time|timestamp|execution_time))/;
const most = 50;

/** The values that fields of runs can have, where they are few. */
export const runValues: Readonly<Record<string, readonly string[]>> = { "attributes.status": ["FINISHED", "RUNNING", "FAILED", "KILLED", "SCHEDULED"] };

/** The fields that runs with these keys can be filtered by. */
export const fieldsOf = (keys: ExperimentKeys): string[] => [
  ...keys.metrics.map((k) => fieldOf("metrics", k)), ...keys.params.map((k) => fieldOf("params", k)), ...attributes, ...keys.tags.map((k) => fieldOf("tags", k)),
];

/** Whole texts that the text could become, the best first. */
export function completions(text: string, fields: readonly string[], values: Readonly<Record<string, readonly string[]>> = {}): string[] {
  const start = text.length - (/^(?:.*\sand\s+)?(.*)$/is.exec(text)?.[1] ?? text).length;
  const before = text.slice(0, start);
  const clause = text.slice(start);
  const parts = /^((?:`[^`]*`?|[^\s`<>=!])*)(\s*)([<>=!]+|I?LIKE\b|I?L?I?K?E?\b)?(\s*)(.*)$/is.exec(clause);
  const [, field = "", space = "", operator = "", , value = ""] = parts ?? [];
  if (space === "" && operator === "") {
    const low = field.toLowerCase();
    const fit = fields.filter((f) => f.toLowerCase().includes(low));
    return fit.sort((a, b) => Number(b.toLowerCase().startsWith(low)) - Number(a.toLowerCase().startsWith(low))).slice(0, most).map((f) => (f.endsWith(".") ? `${before}${f}` : `${before}${f} `));
  }
  if (value === "" && (operator === "" || !clause.endsWith(" "))) {
    const all = numbers.test(field) ? [">", ">=", "<", "<=", "=", "!="] : ["=", "!=", "LIKE", "ILIKE"];
    return all.filter((o) => o.startsWith(operator.toUpperCase())).map((o) => `${before}${field} ${o} `);
  }
  const known = values[field];
  if (value === "" && known) return known.map((v) => `${text}'${v}'`);
  return /('[^']*'|"[^"]*"|[\d.])\s+$/.test(value) ? [`${text}AND `] : [];
}
