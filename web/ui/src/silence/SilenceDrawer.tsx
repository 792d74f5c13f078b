import { Button, Drawer, Group, TagsInput, Textarea, TextInput } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError, sayProblem } from "../api/client";
import { keys } from "../api/queries";
import { offerUndo } from "../kit/offerUndo";
import { Overtaken, type Said } from "../kit/Overtaken";
import { ownZone, toWall } from "../maintenance/zoned";
import { draftOf, editOf, spans, type Draft } from "./draft";
import { Preview } from "./Preview";
import { silence as change, silenceKey, type Silence } from "./query";
import classes from "./silence.module.css";

interface Props {
  /** Undefined for a new one. */
  silence: Silence | undefined;
  matchers: readonly string[];
  onClose: () => void;
}

/** What the form's fields say. */
const said = (d: Draft): Said => [["Matchers", d.matchers.join(", ")], ["Starts", d.starts || "has begun"], ["Ends", d.ends], ["Why", d.comment]];

/** A silence to make or to change, with what it would mute. */
export function SilenceDrawer({ silence, matchers, onClose }: Props) {
  const queries = useQueryClient();
  const [base, setBase] = useState(silence);
  const [draft, setDraft] = useState(() => draftOf(silence, matchers, Date.now()));
  const edit = useMemo(() => editOf(draft), [draft]);
  const [asked] = useDebouncedValue(draft.matchers, 250);
  const renew = (): void => { for (const queryKey of [silenceKey, keys.forgotten, keys.alerts]) void queries.invalidateQueries({ queryKey }); };
  const save = useMutation({
    mutationFn: (version: number | undefined) => {
      if (!edit) throw new Error("Something is missing.");
      return base && version !== undefined ? change.update(base.id, version, edit) : change.create(edit);
    },
    onSuccess: (saved) => {
      renew();
      if (!base) offerUndo(`Silenced ${saved.matchers.join(", ")}`, async () => { await change.expire(saved.id); renew(); });
      else offerUndo(`Changed the silence ${saved.matchers.join(", ")}`, async () => { await change.update(saved.id, saved.version, { matchers: base.matchers, startsAt: base.startsAt, endsAt: base.endsAt, comment: base.comment }); renew(); });
      onClose();
    },
  });
  const set = (part: Partial<Draft>): void => { save.reset(); setDraft({ ...draft, ...part }); };
  const theirs = save.error instanceof ApiError && save.error.status === 412 ? (save.error.present as Silence) : undefined;
  return (
    <Drawer opened onClose={onClose} position="right" size={560} title={base ? "Change the silence" : "Silence alerts"} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      <form className={classes.form} onSubmit={(event) => { event.preventDefault(); if (edit) save.mutate(base?.version); }}>
        <TagsInput size="xs" label="Matchers" description="All must match: label, = or != or =~ or !~, and a value. Enter adds one." placeholder={draft.matchers.length > 0 ? "" : 'service="cart"'} value={draft.matchers} onChange={(value) => set({ matchers: value })} splitChars={[]} acceptValueOnBlur data-autofocus={!base && draft.matchers.length === 0 ? true : undefined} styles={{ pill: { fontSize: 12 } }} />
        <Preview matchers={asked} />
        <div>
          <TextInput size="xs" type="datetime-local" label={`Ends (${ownZone()})`} value={draft.ends} onChange={(event) => set({ ends: event.currentTarget.value })} />
          <Group gap={4} mt={4} role="group" aria-label="Ends in">{spans.map((s) => <Button key={s.word} size="compact-xs" variant="default" onClick={() => set({ ends: toWall(Date.now() + s.ms, ownZone()) })}>in {s.word}</Button>)}</Group>
        </div>
        {base?.state !== "active" && <TextInput size="xs" type="datetime-local" label="Starts" description="Empty: now." value={draft.starts} onChange={(event) => set({ starts: event.currentTarget.value })} />}
        <Textarea size="xs" label="Why" required withAsterisk={false} autosize minRows={2} maxRows={6} maxLength={10_000} placeholder="Whoever finds it next week wants to know." value={draft.comment} data-autofocus={!base && draft.matchers.length > 0 ? true : undefined} onChange={(event) => set({ comment: event.currentTarget.value })} />
        {base && base.state !== "pending" && <p className="dim">With other matchers, this one ends now and another takes its place, so that what was silenced stays on record.</p>}
        {save.error && !theirs && <p role="alert" className={classes.error}>{sayProblem(save.error)}</p>}
        {theirs ? (
          <Overtaken what="this silence" theirs={said(draftOf(theirs, [], 0))} mine={said(draft)} onTake={() => { save.reset(); setBase(theirs); setDraft(draftOf(theirs, [], Date.now())); }} onKeep={() => { setBase(theirs); save.mutate(theirs.version); }} />
        ) : <Group gap={8}><Button type="submit" loading={save.isPending} disabled={!edit}>{base ? "Save" : "Silence"}</Button><Button variant="default" onClick={onClose}>Cancel</Button></Group>}
      </form>
    </Drawer>
  );
}
