import { Switch } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useMemo, useState } from "react";
import { Empty } from "../kit/States";
import { columnOf, valueOf, type KeyColumn } from "./columns";
import classes from "./experiment.module.css";
import { sayValue } from "./groups";
import type { Run } from "./query";

const most = 20;

/** What some runs have, side by side; what differs stands out. */
export function Diff({ runs }: { runs: readonly Run[] }) {
  const [all, setAll] = useState(false);
  const shown = runs.slice(0, most);
  const rows = useMemo(() => (["params", "metrics", "tags"] as const).flatMap((kind) => [...new Set(shown.flatMap((run) => Object.keys(run[kind])))].sort().filter((k) => !k.startsWith("mlflow.")).map((key) => {
    const column: KeyColumn = columnOf(kind, key);
    const values = shown.map((run) => sayValue(valueOf(run, column)));
    return { column, values, differs: new Set(values).size > 1 };
  })), [shown]);
  if (shown.length < 2) return <Empty title="Choose two runs or more">Select them in the table: their params, metrics and tags stand here side by side.</Empty>;
  const seen = rows.filter((row) => all || row.differs);
  return (
    <>
      <div className={classes.tools}>
        <Switch size="xs" label={`Also the ${rows.length - rows.filter((r) => r.differs).length} that are the same`} checked={all} onChange={(event) => setAll(event.currentTarget.checked)} />
        {runs.length > most && <span className="dim">The first {most} of {runs.length} runs.</span>}
      </div>
      <div className={classes.across}>
        <table className={classes.facts}>
          <thead><tr><th scope="col">Key</th>{shown.map((run) => <th key={run.id} scope="col"><Link to="/runs/$id" params={{ id: run.id }} search={{}} className="link">{run.name || run.id}</Link></th>)}</tr></thead>
          <tbody>
            {seen.map(({ column, values, differs }) => (
              <tr key={column.id} data-differs={differs || undefined}>
                <th scope="row"><span className="dim">{column.kind}.</span>{column.key}</th>
                {shown.map((run, i) => <td key={run.id} title={values[i]}>{values[i] === "" ? <span className="dim">–</span> : values[i]}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {seen.length === 0 && <p className="dim">Nothing differs between them.</p>}
    </>
  );
}
