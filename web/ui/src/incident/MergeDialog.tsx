import { Button, Group, Modal, Radio, ScrollArea, Stack, TextInput } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { incidentsQuery } from "../api/queries";
import type { Incident } from "../api/types";
import { SeverityMark } from "../kit/Marks";
import { plural } from "../kit/numbers";

interface Props {
  title: string;
  /** What the button says, for the chosen id. */
  verb: (into: string) => string;
  candidates: readonly Incident[];
  onPick: (into: string) => void;
  onClose: () => void;
  search?: (text: string) => void;
}

/** Asks which incident the others, or some alerts, go into. */
function PickIncident({ title, verb, candidates, onPick, onClose, search }: Props) {
  const [into, setInto] = useState(candidates[0]?.id ?? "");
  const valid = candidates.some((c) => c.id === into);
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => { event.preventDefault(); if (valid) onPick(into); }}>
        <Stack gap="sm">
          {search && <TextInput data-autofocus size="xs" label="Find an open incident" placeholder="Title, service or id" onChange={(event) => search(event.currentTarget.value)} />}
          <ScrollArea.Autosize mah={320}>
            <Radio.Group value={into} onChange={setInto} label={search ? "Into" : "Keep this one"}>
              <Stack gap={8} mt={8}>
                {candidates.map((c) => <Radio key={c.id} value={c.id} size="xs" label={<span><SeverityMark severity={c.severity} short /> {c.title} <span className="dim">{c.id} · {plural(c.alertCount, "alert")}</span></span>} />)}
                {candidates.length === 0 && <span className="dim">No open incident matches.</span>}
              </Stack>
            </Radio.Group>
          </ScrollArea.Autosize>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" disabled={!valid}>{verb(into)}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

/** Merging a selection: which of them stays. The one with most alerts stands first. */
export function MergeSelection({ chosen, onMerge, onClose }: { chosen: readonly Incident[]; onMerge: (into: string, from: string[]) => void; onClose: () => void }) {
  const sorted = [...chosen].sort((a, b) => b.alertCount - a.alertCount);
  return <PickIncident title={`Merge ${plural(chosen.length, "incident")}`} candidates={sorted} onClose={onClose}
    verb={(into) => `Merge ${chosen.length - 1} into ${into}`} onPick={(into) => onMerge(into, sorted.filter((c) => c.id !== into).map((c) => c.id))} />;
}

/** Choosing another open incident, to merge this one or to move alerts into. */
export function PickOther({ not, title, verb, onPick, onClose }: { not: string; title: string; verb: (into: string) => string; onPick: (into: string) => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const { data } = useInfiniteQuery({ ...incidentsQuery({ state: ["open", "acknowledged", "forming"], ...(text.trim() ? { q: text.trim() } : {}) }), placeholderData: (old) => old });
  const candidates = (data?.pages[0]?.items ?? []).filter((c) => c.id !== not).slice(0, 50);
  return <PickIncident title={title} candidates={candidates} verb={verb} onPick={onPick} onClose={onClose} search={setText} />;
}
