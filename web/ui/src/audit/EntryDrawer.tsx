import { Drawer, Group } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Copy } from "../kit/Copy";
import { Failure, Loading } from "../kit/States";
import { useZone } from "../kit/settings";
import { formatExact } from "../kit/time";
import { Time } from "../kit/Time";
import { markdownOf } from "../kit/markdown";
import classes from "./audit.module.css";
import { changesOf } from "./changes";
import { ObjectLink } from "./columns";
import { ProofBox } from "./ProofBox";
import { beforeQuery, entryQuery, stateQuery, type Entry } from "./query";

/** One entry: who did what to what and why, what changed by it, and its proof. */
export function EntryDrawer({ n, onClose }: { n: number; onClose: () => void }) {
  const { data, error, isPending, refetch } = useQuery(entryQuery(n));
  return (
    <Drawer opened onClose={onClose} position="right" size={620} title={`Entry ${n}`} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      {isPending && <Loading rows={6} label="Loading the entry" />}
      {error && !data && <Failure error={error} retry={() => void refetch()} />}
      {data && <Loaded of={data} />}
    </Drawer>
  );
}

function Loaded({ of }: { of: Entry }) {
  const zone = useZone();
  const { data: state } = useQuery(stateQuery);
  const { data: before, isPending } = useQuery(beforeQuery(of));
  const changes = before ? changesOf(before.row, of.row) : [];
  return (
    <div className={classes.drawer}>
      <dl className={classes.fields}>
        <dt>Who</dt><dd>{of.actor}{of.erased && <span className="dim"> (forgotten: the name and what was sealed are gone for good)</span>}{of.person && of.person !== of.actor && <div className="dim mono">{of.person}</div>}</dd>
        <dt>Did</dt><dd className="mono">{of.action}</dd>
        <dt>To</dt><dd>{of.object ? <ObjectLink object={of.object} /> : <span className="dim">nothing named</span>}</dd>
        <dt>When</dt><dd>{formatExact(Date.parse(of.at), zone)} <span className="dim"><Time at={of.at} /></span></dd>
        <dt>Why</dt><dd>{of.reason || <span className="dim">{of.erased ? "cannot be read any more" : "no reason given"}</span>}</dd>
      </dl>
      {state && <><h3>Proof</h3><ProofBox state={state} entry={of} /></>}
      {of.row !== undefined && before && (
        <>
          <h3>What changed since <Link to="/audit" search={(old) => ({ ...old, pick: String(before.n) })} className={classes.link}>entry {before.n}</Link></h3>
          {changes.length === 0 ? <p className="dim">Nothing in the row.</p> : (
            <div className={classes.scroll} tabIndex={0} role="region" aria-label="What changed"> {/* eslint-disable-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls */}
              <table><thead><tr><th scope="col">Field</th><th scope="col">Before</th><th scope="col">After</th></tr></thead>
                <tbody>{changes.map((c) => <tr key={c.path}><td className="mono">{c.path}</td><td>{c.before || <span className="dim">nothing</span>}</td><td>{c.after || <span className="dim">nothing</span>}</td></tr>)}</tbody></table>
            </div>
          )}
        </>
      )}
      {of.row !== undefined && !isPending && (
        <><h3>The row from then on</h3><pre className={`mono ${classes.row}`} tabIndex={0}>{JSON.stringify(of.row, null, 2)}</pre></> // eslint-disable-line jsx-a11y/no-noninteractive-tabindex -- it scrolls
      )}
      <Group gap={8} mt="md"><Copy value={`${window.location.origin}/audit?pick=${of.n}`} label="Copy link" /><Copy value={markdownOf(`Audit entry ${of.n}: ${of.action}`, `${window.location.origin}/audit?pick=${of.n}`, [["who", of.actor], ["to", of.object], ["when", of.at], ["why", of.reason]])} label="Copy as Markdown" /><Copy value={JSON.stringify(of, null, 2)} label="Copy as JSON" /></Group>
    </div>
  );
}
