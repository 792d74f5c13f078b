import { Button, Checkbox, Drawer, Group, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, sayProblem } from "../api/client";
import { meQuery } from "../api/session";
import { Empty } from "../kit/States";
import { failToast, sayToast } from "../kit/toast";
import { Grants } from "./Grants";
import { LinkOnce } from "./LinkOnce";
import { Overtaken, type Said } from "../kit/Overtaken";
import classes from "./people.module.css";
import { sayGrant, user as change, userKey, type Grant, type LinkMade, type Team, type User } from "./query";
import { RemoveUser } from "./RemoveUser";

interface Props {
  user: User | undefined;
  fresh: boolean;
  teams: readonly Team[];
  onClose: () => void;
}

interface Draft {
  display: string;
  email: string;
  grants: Grant[];
  disabled: boolean;
}

const draftOf = (of: User | undefined): Draft => ({ display: of?.display ?? "", email: of?.email ?? "", grants: of?.grants ?? [{ role: "responder" }], disabled: of?.disabled ?? false });

/** Somebody to add or to change. */
export function UserDrawer({ user, fresh, teams, onClose }: Props) {
  return (
    <Drawer opened onClose={onClose} position="right" size={560} title={fresh ? "Add somebody" : user?.name} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      {fresh || user ? <Form user={fresh ? undefined : user} teams={teams} onClose={onClose} /> : <Empty title="There is nobody of that name">Perhaps the name was deleted meanwhile.</Empty>}
    </Drawer>
  );
}

function Form({ user, teams, onClose }: { user: User | undefined; teams: readonly Team[]; onClose: () => void }) {
  const queries = useQueryClient();
  const self = useQuery(meQuery).data?.user;
  const [base, setBase] = useState(user);
  const [name, setName] = useState("");
  const [draft, setDraft] = useState(() => draftOf(user));
  const [reason, setReason] = useState("");
  const [link, setLink] = useState<LinkMade>();
  const [made, setMade] = useState<string>();
  const [removing, setRemoving] = useState(false);
  const renew = () => queries.invalidateQueries({ queryKey: userKey });
  const save = useMutation({
    mutationFn: async (version: number | undefined) => {
      const edit = { ...draft, ...(reason.trim() ? { reason: reason.trim() } : {}) };
      if (base && version !== undefined) return { user: await change.update(base.name, version, edit), link: undefined };
      return change.create(name.trim(), edit);
    },
    onSuccess: (saved) => {
      void renew();
      setLink(saved.link);
      setReason("");
      if (base) {
        setBase(saved.user);
        sayToast(`Changed ${saved.user.name}`);
      } else setMade(saved.user.name);
    },
  });
  const set = (part: Partial<Draft>): void => { save.reset(); setDraft({ ...draft, ...part }); };
  const theirs = save.error instanceof ApiError && save.error.status === 412 ? (save.error.present as User) : undefined;
  const renewLink = (): void => {
    if (base) change.link(base.name, reason.trim()).then(setLink, (error: unknown) => failToast(`Could not make a link for ${base.name}`, error));
  };
  if (made && link) return <><LinkOnce link={link} name={made} /><Group mt="md"><Button onClick={onClose}>Done</Button></Group></>;
  return (
    <form className={classes.form} onSubmit={(event) => { event.preventDefault(); save.mutate(base?.version); }}>
      {!base && <TextInput data-autofocus label="Name" description="With which to log in, for good: lower-case letters, digits, dots and dashes." required maxLength={64} value={name} onChange={(event) => { save.reset(); setName(event.currentTarget.value); }} />}
      <TextInput label="Shown as" maxLength={200} value={draft.display} onChange={(event) => set({ display: event.currentTarget.value })} />
      <TextInput label="E-mail" type="email" maxLength={200} value={draft.email} onChange={(event) => set({ email: event.currentTarget.value })} />
      <Grants grants={draft.grants} teams={teams} disabled={false} onChange={(grants) => set({ grants })} />
      {base?.provider && <p className="dim">Logs in by {base.provider}: each login replaces the roles by what its groups say.</p>}
      {base && <Checkbox label="Disabled" description="Cannot log in; sessions end at once, tokens are worth nothing." checked={draft.disabled} disabled={base.name === self} onChange={(event) => set({ disabled: event.currentTarget.checked })} />}
      <TextInput label="Why (optional)" description="For the audit log." maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      {save.error && !theirs && <p role="alert">{sayProblem(save.error)}</p>}
      {theirs ? (
        <Overtaken what={theirs.name} theirs={said(draftOf(theirs))} mine={said(draft)} onTake={() => { save.reset(); setBase(theirs); setDraft(draftOf(theirs)); }} onKeep={() => { setBase(theirs); save.mutate(theirs.version); }} />
      ) : (
        <Group gap={8}>
          <Button type="submit" loading={save.isPending} disabled={!base && !name.trim()}>{base ? "Save" : "Add"}</Button>
          {base && !base.provider && <Button variant="default" onClick={renewLink}>New link for a password</Button>}
          {base && base.name !== self && <Button variant="default" ml="auto" onClick={() => setRemoving(true)}>Delete…</Button>}
        </Group>
      )}
      {base && link && <LinkOnce link={link} name={base.name} />}
      {base && removing && <RemoveUser user={base} onClose={() => setRemoving(false)} onDone={() => { void renew(); onClose(); }} />}
    </form>
  );
}

/** What the form's fields say. */
const said = (d: Draft): Said => [["Shown as", d.display], ["E-mail", d.email], ["May", d.grants.map(sayGrant).join("; ")], ["Disabled", d.disabled ? "yes" : "no"]];
