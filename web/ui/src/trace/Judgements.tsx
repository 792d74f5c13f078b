import { Time } from "../kit/Time";
import type { Judgement } from "./query";
import classes from "./trace.module.css";
import { sayJson } from "./tree";

/** What people, judges and code said. */
export function Judgements({ of }: { of: readonly Judgement[] }) {
  return (
    <section aria-label="Judgements">
      <h3 className={classes.heading}>Judgements</h3>
      <table className={classes.attributes}>
        <tbody>
          {of.map((j) => (
            <tr key={j.id}>
              <th scope="row">{j.name}{j.kind === "expectation" && <span className="dim"> expected</span>}</th>
              <td><span className="mono">{sayJson(j.value)}</span>{j.rationale && <div>{j.rationale}</div>}<div className="dim">{j.source && `${j.source.replace(/^\S+/, (kind) => kind.toLowerCase().replaceAll("_", " "))} · `}<Time at={j.at} /></div></td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
