import { Select, Textarea } from "@mantine/core";
import type { Capture } from "../api/types";
import { useZone } from "../kit/settings";
import { formatClock, formatDay } from "../kit/time";
import { Payload } from "./Captures";
import classes from "./integration.module.css";

/** A captured payload, or the text of one that was pasted. */
export type Picked = Capture | string | undefined;

interface Props {
  captures: readonly Capture[];
  picked: Picked;
  onPick: (picked: Picked) => void;
}

const paste = "paste";

/** Which payload the mapper is tried on. */
export function PayloadPicker({ captures, picked, onPick }: Props) {
  const zone = useZone();
  const pasted = typeof picked !== "object";
  const all = pasted || captures.some((c) => c.at === picked.at) ? captures : [picked, ...captures];
  const options = [...new Map(all.map((c) => [c.at, { value: c.at, label: `${formatDay(Date.parse(c.at), zone)} ${formatClock(Date.parse(c.at), zone, true)}, ${c.status < 300 ? "accepted" : `refused ${c.status}`}` }])).values(), { value: paste, label: "Paste one" }];
  return (
    <>
      <h3 className={classes.heading}>Payload</h3>
      <Select size="xs" aria-label="Payload to try" data={options} value={pasted ? paste : picked.at} allowDeselect={false} onChange={(value) => onPick(value === paste ? (pasted ? picked : picked.body) : all.find((c) => c.at === value))} />
      {pasted
        ? <Textarea mt={8} aria-label="Pasted payload" placeholder={'{"title": "Disk full", "status": "open"}'} autosize minRows={8} maxRows={24} maxLength={65_536} value={picked ?? ""} onChange={(event) => onPick(event.currentTarget.value)} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }} spellCheck={false} />
        : <div style={{ marginTop: 8 }}><Payload capture={picked} /></div>}
    </>
  );
}
