import { Button, Drawer, Group, Textarea, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, sayProblem } from "../api/client";
import { offerUndo } from "../kit/offerUndo";
import { Overtaken } from "../kit/Overtaken";
import classes from "./people.module.css";
import { team as change, teamKey, type Team } from "./query";

/** A team to add or to change. */
export function TeamDrawer({ team, onClose }: { team: Team | undefined; onClose: () => void }) {
  const queries = useQueryClient();
  const [base, setBase] = useState(team);
  const [name, setName] = useState("");
  const [description, setDescription] = useState(team?.description ?? "");
  const renew = () => queries.invalidateQueries({ queryKey: teamKey });
  const save = useMutation({
    mutationFn: (version: number | undefined) => (base && version !== undefined ? change.update(base.name, version, description.trim()) : change.create(name.trim(), description.trim())),
    onSuccess: () => { void renew(); onClose(); },
  });
  const remove = useMutation({
    mutationFn: async (of: Team) => change.remove(of.name, of.version),
    onSuccess: (_, of) => {
      void renew();
      offerUndo(`Deleted the team ${of.name}`, async () => { await change.create(of.name, of.description); await renew(); });
      onClose();
    },
  });
  const theirs = save.error instanceof ApiError && save.error.status === 412 ? (save.error.present as Team) : undefined;
  const error = theirs ? undefined : (save.error ?? remove.error);
  return (
    <Drawer opened onClose={onClose} position="right" size={480} title={base?.name ?? "Add a team"} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      <form className={classes.form} onSubmit={(event) => { event.preventDefault(); save.mutate(base?.version); }}>
        {!base && <TextInput data-autofocus label="Name" description="What alerts have in their label “team”." required maxLength={64} value={name} onChange={(event) => { save.reset(); setName(event.currentTarget.value); }} />}
        <Textarea label="What it looks after" autosize minRows={2} maxLength={1000} value={description} onChange={(event) => { save.reset(); setDescription(event.currentTarget.value); }} />
        {error && <p role="alert">{sayProblem(error)}</p>}
        {theirs ? (
          <Overtaken what={`the team ${theirs.name}`} theirs={[["What it looks after", theirs.description]]} mine={[["What it looks after", description]]} onTake={() => { save.reset(); setBase(theirs); setDescription(theirs.description); }} onKeep={() => { setBase(theirs); save.mutate(theirs.version); }} />
        ) : (
          <Group gap={8}>
            <Button type="submit" loading={save.isPending} disabled={!base && !name.trim()}>{base ? "Save" : "Add"}</Button>
            {base && <Button variant="default" ml="auto" loading={remove.isPending} onClick={() => remove.mutate(base)}>Delete</Button>}
          </Group>
        )}
      </form>
    </Drawer>
  );
}
