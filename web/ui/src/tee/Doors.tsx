import { Link } from "@tanstack/react-router";
import type { TeeReport } from "../api/types";
import { Empty } from "../kit/States";
import { Time } from "../kit/Time";
import classes from "./tee.module.css";

/** What stands by while there is nothing to compare: who passes on, and who tells what the tool did. */
export function Doors({ report }: { report: TeeReport }) {
  const witnesses = report.integrations.filter((door) => door.kind === "am-events" || door.kind === "am-told");
  return (
    <Empty title="Nothing was told in this time">
      {witnesses.length === 0 ? "No tool tells what it did yet: add an Alertmanager event recorder, or an Alertmanager as witness. " : "Neither the tool nor Fairlead told anybody of anything. "}
      These take part:
      <span className={classes.doors} role="list" style={{ display: "block" }}>
        {report.integrations.map((door) => (
          <span key={door.name} role="listitem" style={{ display: "block" }}>
            <Link to="/integrations/$name" params={{ name: door.name }} search={{}} className="link">{door.name}</Link>{door.forward ? `, passes on to ${door.forward}` : ", tells what the tool did"}{door.observe && ", only observed"}, {door.lastAt ? <>last seen <Time at={door.lastAt} /></> : "not seen yet"}
          </span>
        ))}
      </span>
    </Empty>
  );
}
