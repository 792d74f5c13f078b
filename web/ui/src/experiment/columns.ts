// Which keys of runs are columns. In the URL a column is "m:loss", "p:depth" or "t:team".
import { fieldOf, type ExperimentKeys, type Run } from "./query";

export interface KeyColumn {
  id: string;
  kind: "metrics" | "params" | "tags";
  key: string;
}

const kinds = { m: "metrics", p: "params", t: "tags" } as const;

export function readColumn(id: string): KeyColumn | undefined {
  const kind = kinds[id.charAt(0) as keyof typeof kinds] as KeyColumn["kind"] | undefined;
  return kind && id.charAt(1) === ":" && id.length > 2 ? { id, kind, key: id.slice(2) } : undefined;
}

export const columnOf = (kind: KeyColumn["kind"], key: string): KeyColumn => ({ id: `${kind.charAt(0)}:${key}`, kind, key });

/** All columns that runs can have; MLflow's own tags come last. */
export function allColumns(keys: ExperimentKeys): KeyColumn[] {
  const tags = [...keys.tags].sort((a, b) => Number(a.startsWith("mlflow.")) - Number(b.startsWith("mlflow.")));
  return [...keys.metrics.map((k) => columnOf("metrics", k)), ...keys.params.map((k) => columnOf("params", k)), ...tags.map((k) => columnOf("tags", k))];
}

const first = 6;

/** The columns that are shown until somebody picks: the first metrics and params. */
export const usualColumns = (keys: ExperimentKeys): KeyColumn[] => [...keys.metrics.slice(0, first).map((k) => columnOf("metrics", k)), ...keys.params.slice(0, first).map((k) => columnOf("params", k))];

/** The columns that a URL names, each its own line; undefined for those that are usual. */
export const readColumns = (text: string | undefined): KeyColumn[] | undefined => text?.split("\n").map(readColumn).filter((c) => c !== undefined);

export const writeColumns = (columns: readonly KeyColumn[]): string => columns.map((c) => c.id).join("\n");

/** What a run has in a column; null is a number that is not finite, undefined is nothing. */
export const valueOf = (run: Run, { kind, key }: KeyColumn): string | number | null | undefined => run[kind][key];

/** The order of MLflow's grammar for a sort of the table: "-m:loss" is "metrics.loss DESC". */
export function orderOf(sort: string | undefined): string {
  if (!sort) return "";
  const down = sort.startsWith("-");
  const name = down ? sort.slice(1) : sort;
  const column = readColumn(name);
  const attributes: Record<string, string> = { name: "attributes.run_name", start: "attributes.start_time", status: "attributes.status", user: "attributes.user_id" };
  const field = column ? fieldOf(column.kind, column.key) : attributes[name];
  return field ? `${field} ${down ? "DESC" : "ASC"}` : "";
}
