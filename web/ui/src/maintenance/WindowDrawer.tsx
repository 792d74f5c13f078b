import { Button, Drawer, Group } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { ApiError } from "../api/client";
import { keys, occurrencesQuery, plan } from "../api/queries";
import type { Window, WindowEdit } from "../api/types";
import { offerUndo } from "../kit/offerUndo";
import { Overtaken } from "../kit/Overtaken";
import { failToast } from "../kit/toast";
import { again, draftOf, editOf, said } from "./draft";
import classes from "./maintenance.module.css";
import { Occurrences } from "./Occurrences";
import { WindowFields } from "./WindowFields";

/** The remedy that the server gave for a field. */
function remedies(error: Error | null): Record<string, string> {
  if (!(error instanceof ApiError)) return {};
  return Object.fromEntries(error.remedies.flatMap((text) => { const match = /^body\.(\w+)[^:]*: ([\s\S]*)$/.exec(text); return match?.[1] && match[2] ? [[match[1], match[2]]] : []; }));
}

/** A window to make or to change, with when it would be open. */
export function WindowDrawer({ window, onClose }: { window: Window | undefined; onClose: () => void }) {
  const queries = useQueryClient();
  const [base, setBase] = useState(window);
  const [draft, setDraft] = useState(() => draftOf(window, Date.now()));
  const edit = useMemo(() => editOf(draft), [draft]);
  const [asked] = useDebouncedValue(edit, 250);
  const renew = () => queries.invalidateQueries({ queryKey: keys.maintenance });
  const covers = draft.matchers.length + draft.entities.length > 0;
  const preview = useQuery({ ...occurrencesQuery(asked ?? { title: "", startsAt: "", endsAt: "" }), enabled: asked !== undefined && covers, placeholderData: (old) => old });
  const save = useMutation({
    mutationFn: ({ body, version }: { body: WindowEdit; version: number | undefined }) => (base && version !== undefined ? plan.update(base.id, version, body) : plan.create(body)),
    onSuccess: (saved) => {
      void renew();
      offerUndo(base ? `Changed ${saved.title}` : `Planned ${saved.title}`, async () => { await (base ? plan.update(saved.id, saved.version, again(base)) : plan.remove(saved.id)); await renew(); });
      onClose();
    },
  });
  const remove = (): void => {
    if (!base) return;
    plan.remove(base.id).then(() => {
      void renew();
      offerUndo(`Deleted ${base.title}`, async () => { await plan.create(again(base)); await renew(); });
      onClose();
    }, (error: unknown) => failToast(`Could not delete ${base.title}`, error));
  };
  const refused = save.error instanceof ApiError && save.error.status === 412 ? (save.error.present as Window) : undefined;
  const theirs = refused ?? (base !== undefined && window !== undefined && window.version > base.version ? window : undefined);
  const errors = remedies(save.error ?? preview.error);
  const other = save.error && !refused && Object.keys(errors).length === 0 ? save.error.message : undefined;
  return (
    <Drawer opened onClose={onClose} position="right" size={560} title={base ? base.title : "Plan maintenance"} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      <form className={classes.form} onSubmit={(event) => { event.preventDefault(); if (edit) save.mutate({ body: edit, version: base?.version }); }}>
        <WindowFields draft={draft} errors={errors} onChange={(part) => { save.reset(); setDraft({ ...draft, ...part }); }} />
        <Occurrences zone={draft.zone} next={covers && !preview.error ? preview.data?.next : undefined} covers={covers} error={preview.error && Object.keys(errors).length === 0 ? preview.error.message : undefined} />
        {other && <p role="alert" style={{ margin: 0, color: "var(--mantine-color-error)" }}>{other}</p>}
        {theirs ? (
          <Overtaken what="this window" theirs={said(draftOf(theirs, 0))} mine={said(draft)} saving={save.isPending} disabled={!edit} onTake={() => { save.reset(); setBase(theirs); setDraft(draftOf(theirs, Date.now())); }} onKeep={() => { if (edit) { setBase(theirs); save.mutate({ body: edit, version: theirs.version }); } }} />
        ) : (
          <Group gap={8}>
            <Button type="submit" loading={save.isPending} disabled={!edit || !covers || draft.title.trim() === ""}>{base ? "Save" : "Plan it"}</Button>
            <Button variant="default" onClick={onClose}>Cancel</Button>
            {base && <Button variant="default" ml="auto" onClick={remove}>Delete</Button>}
          </Group>
        )}
      </form>
    </Drawer>
  );
}
