import { Button, Checkbox, Group, Modal, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { plural } from "../kit/numbers";
import { sayToast } from "../kit/toast";
import classes from "./people.module.css";
import { user as change, type User } from "./query";

/** Deletes somebody, and forgets the name everywhere if that is wanted. */
export function RemoveUser({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: () => void }) {
  const [erase, setErase] = useState(false);
  const [typed, setTyped] = useState("");
  const [reason, setReason] = useState("");
  const { mutate, isPending, error } = useMutation({
    mutationFn: async () => {
      await change.remove(user.name, user.version, reason.trim());
      return erase ? change.erase(user.name, reason.trim()) : undefined;
    },
    onSuccess: (gone) => {
      sayToast(gone ? `${user.name} is forgotten: ${gone.pseudonym} stands in ${plural(gone.steps, "step")} and ${plural(gone.records, "decision record")}.` : `${user.name} is deleted.`);
      onDone();
    },
  });
  const ready = reason.trim() !== "" && (!erase || typed === user.name);
  return (
    <Modal opened onClose={onClose} title={`Delete ${user.name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <div className={classes.form}>
        <p style={{ margin: 0 }}>Sessions and tokens end at once. What {user.name} did stays in incidents and in the audit log.</p>
        <TextInput data-autofocus label="Why" description="For the audit log." required maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <Checkbox label="Also forget the name everywhere" description="A pseudonym takes its place in incidents, decision records and messages; the audit log loses the key to who it was. All proofs stay valid. It cannot be taken back." checked={erase} onChange={(event) => setErase(event.currentTarget.checked)} />
        {erase && <TextInput label={`Type ${user.name} to confirm`} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} autoComplete="off" />}
        {error && <p role="alert" style={{ margin: 0 }}>{sayProblem(error)}</p>}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Keep</Button>
          <Button loading={isPending} disabled={!ready} onClick={() => mutate()}>{erase ? "Delete and forget" : "Delete"} {user.name}</Button>
        </Group>
      </div>
    </Modal>
  );
}
