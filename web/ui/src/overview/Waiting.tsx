import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { mentionsQuery } from "../api/people";
import { isWhole, meQuery } from "../api/session";
import type { Incident } from "../api/types";
import { waitingQuery } from "../approval/query";
import { severityWord } from "../kit/Marks";
import { plural } from "../kit/numbers";
import classes from "./overview.module.css";

interface Item {
  key: string;
  count: number;
  words: string;
  to: "/" | "/approvals" | "/incidents/$id";
  q?: string;
  id?: string;
}

/** What waits for the person at the page, most urgent first. */
export function Waiting({ incidents }: { incidents: readonly Incident[] }) {
  const { data: me } = useQuery(meQuery);
  const { data: approvals } = useQuery({ ...waitingQuery, enabled: isWhole(me) });
  const { data: mentions } = useQuery({ ...mentionsQuery, enabled: me !== null && me !== undefined && me.via !== "dev" });
  const self = me?.user ?? "";
  const mine = incidents.filter((i) => self !== "" && i.owner === self);
  const bad = incidents.filter((i) => i.state === "open" && !i.owner && (i.severity === "critical" || i.severity === "error"));
  const unseen = (mentions?.items ?? []).filter((m) => !m.seenAt);
  const decide = (approvals?.items ?? []).filter((a) => a.mayDecide);
  const items: Item[] = [
    { key: "bad", count: bad.length, words: `${plural(bad.length, "open incident")} of severity critical or error ${bad.length === 1 ? "has" : "have"} no owner`, to: "/", q: "state:open severity:critical,error owner:nobody" },
    { key: "mine", count: mine.length, words: `${plural(mine.length, "incident")} of yours ${mine.length === 1 ? "is" : "are"} not over`, to: "/", q: "state:open,acknowledged owner:me" },
    { key: "approvals", count: decide.length, words: `${plural(decide.length, "approval")} you may decide`, to: "/approvals" },
    ...unseen.slice(0, 5).map((m): Item => ({ key: m.step, count: 1, words: `${m.actor} named you in ${m.incident}: ${m.text.slice(0, 80)}`, to: "/incidents/$id", id: m.incident })),
  ];
  const some = items.filter((i) => i.count > 0);
  return (
    <section className={classes.section}>
      <h2>Waits for you</h2>
      {some.length === 0 ? <p className="dim">Nothing. {bad.length === 0 && `No open incident of severity ${severityWord("critical")} or ${severityWord("error")} is without an owner.`}</p> : (
        <ul className={classes.waiting}>
          {some.map((i) => <li key={i.key}>{i.to === "/incidents/$id" ? <Link to="/incidents/$id" params={{ id: i.id ?? "" }} search={{}} className="link">{i.words}</Link> : <Link to={i.to} search={i.q ? { q: i.q } : {}} className="link">{i.words}</Link>}</li>)}
        </ul>
      )}
    </section>
  );
}
