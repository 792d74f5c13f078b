import { Button } from "@mantine/core";
import type { Incident } from "../../api/types";
import { plural } from "../../kit/numbers";
import { allows, type Actions } from "../actions";
import classes from "./list.module.css";

interface Props {
  chosen: readonly Incident[];
  actions: Actions;
  onMerge: () => void;
  onOwn: () => void;
  onClear: () => void;
}

/** What can be done with the selected incidents; each button says how many it would touch. */
export function BulkBar({ chosen, actions, onMerge, onOwn, onClear }: Props) {
  const ids = (may: (state: Incident["state"]) => boolean): string[] => chosen.filter((i) => may(i.state)).map((i) => i.id);
  const open = ids(allows.acknowledge), running = ids(allows.resolve), mergeable = ids(allows.merge);
  return (
    <div className={classes.bulk} role="toolbar" aria-label="Actions on the selection">
      <span>{plural(chosen.length, "incident")} selected</span>
      <Button variant="default" disabled={open.length === 0} rightSection={<kbd>e</kbd>} onClick={() => void actions.acknowledge(open).then(onClear)}>Acknowledge {open.length || ""}</Button>
      <Button variant="default" disabled={running.length === 0} rightSection={<kbd>r</kbd>} onClick={() => void actions.resolve(running).then(onClear)}>Resolve {running.length || ""}</Button>
      <Button variant="default" disabled={mergeable.length < 2} rightSection={<kbd>m</kbd>} onClick={onMerge}>Merge {mergeable.length > 1 ? mergeable.length : ""}</Button>
      <Button variant="default" rightSection={<kbd>a</kbd>} onClick={onOwn}>Give {chosen.length} to…</Button>
      <Button variant="subtle" color="gray" onClick={onClear}>Clear</Button>
    </div>
  );
}
