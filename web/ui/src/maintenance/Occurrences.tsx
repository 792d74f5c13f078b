import type { Window } from "../api/types";
import { Span, Time } from "../kit/Time";
import classes from "./maintenance.module.css";
import { sayWall } from "./zoned";

interface Props {
  next: Window["next"] | undefined;
  zone: string;
  covers: boolean;
  error: string | undefined;
}

/** When the window would be open. */
export function Occurrences({ next, zone, covers, error }: Props) {
  return (
    <section aria-label="When it would be open" aria-live="polite">
      <h3 style={{ fontSize: 13 }}>When it would be open</h3>
      {!covers && <p className="dim" style={{ margin: "4px 0 0" }}>Name at least one entity or matcher first: a window over everything would hide everything.</p>}
      {error && <p style={{ margin: "4px 0 0", color: "var(--mantine-color-error)" }}>{error}</p>}
      {next?.length === 0 && <p className="dim" style={{ margin: "4px 0 0" }}>Never again: it is over.</p>}
      {next && next.length > 0 && (
        <ol className={classes.occurrences}>
          {next.slice(0, 5).map((o) => <li key={o.start}>{sayWall(Date.parse(o.start), zone)} <span className="dim">{zone}, <Span from={o.start} to={o.end} /> long, <Time at={o.start} /></span></li>)}
          {next.length > 5 && <li className="dim">and so on</li>}
        </ol>
      )}
    </section>
  );
}
