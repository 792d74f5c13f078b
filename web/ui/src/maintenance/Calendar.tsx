import { UnstyledButton } from "@mantine/core";
import type { Window } from "../api/types";
import { useZone } from "../kit/settings";
import { OpenMark } from "../kit/Marks";
import { Time, useNow } from "../kit/Time";
import { formatExact } from "../kit/time";
import classes from "./maintenance.module.css";
import { sayRule } from "./rule";
import { barOf, midnight, shownDays } from "./strip";

const day = 86_400_000;

function Strip({ of, from }: { of: Window; from: number }) {
  const zone = useZone();
  const now = useNow();
  return (
    <div className={classes.strip}>
      {of.next.map((occurrence) => {
        const [start, end] = [Date.parse(occurrence.start), Date.parse(occurrence.end)];
        const bar = barOf(start, end, from);
        const text = `${formatExact(start, zone)} to ${formatExact(end, zone)}`;
        return bar && <span key={occurrence.start} className={classes.bar} data-open={(start <= now && now < end) || undefined} style={{ left: `${bar.left}%`, width: `${bar.width}%` }} title={text}><span className="hidden-text">{text}</span></span>;
      })}
    </div>
  );
}

/** A day's head: its weekday and number. Noon, because the clocks may change in between. */
function Day({ at, utc }: { at: number; utc: boolean }) {
  const date = new Date(at);
  const [weekday, number] = utc ? [date.getUTCDay(), date.getUTCDate()] : [date.getDay(), date.getDate()];
  return <span data-weekend={weekday % 6 === 0 || undefined}>{["Su", "Mo", "Tu", "We", "Th", "Fr", "Sa"][weekday]}<br />{number}</span>;
}

function When({ of }: { of: Window }) {
  const now = useNow();
  const [next] = of.next;
  if (!next) return <span className="dim">over</span>;
  return Date.parse(next.start) <= now ? <OpenMark>, ends <Time at={next.end} /></OpenMark> : <Time at={next.start} />;
}

/** The windows, each with the next two weeks beside it. */
export function Calendar({ windows, onEdit }: { windows: readonly Window[]; onEdit: (window: Window) => void }) {
  const zone = useZone();
  const from = midnight(useNow(), zone === "utc");
  return (
    <table className={classes.calendar}>
      <thead>
        <tr>
          <th scope="col" className={classes.work}>Work</th>
          <th scope="col" className={classes.when}>Next</th>
          <th scope="col" className={classes.second} style={{ width: 170 }}>Repeats</th>
          <th scope="col" className={classes.second} style={{ width: "15%" }}>Covers</th>
          <th scope="col" className={classes.strips}><div className={classes.days} aria-label="The next 14 days">{Array.from({ length: shownDays }, (_, i) => <Day key={i} at={from + i * day + day / 2} utc={zone === "utc"} />)}</div></th>
        </tr>
      </thead>
      <tbody>
        {windows.map((window) => (
          <tr key={window.id} data-id={window.id}>
            <th scope="row"><UnstyledButton className={classes.title} onClick={() => onEdit(window)}>{window.title || "untitled"}</UnstyledButton><div className={`dim ${classes.phone}`}>{sayRule(window.rule)}</div></th>
            <td><When of={window} /></td>
            <td className={classes.second}>{sayRule(window.rule)} <span className="dim">{window.zone || "UTC"}</span></td>
            <td className={`${classes.second} ${classes.covers}`}>{[...window.entities, ...window.matchers].join(", ")}</td>
            <td className={classes.strips}><Strip of={window} from={from} /></td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
