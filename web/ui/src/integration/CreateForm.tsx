import { Button, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../api/client";
import { change, keys } from "../api/queries";
import type { IntegrationMade } from "../api/types";
import classes from "./integration.module.css";
import { freeName, nameProblem } from "./names";
import type { Sender } from "./senders";

interface Props {
  sender: Sender;
  taken: readonly string[];
  onMade: (made: IntegrationMade) => void;
  onBack: () => void;
}

export function CreateForm({ sender, taken, onMade, onBack }: Props) {
  const queries = useQueryClient();
  const [name, setName] = useState(() => freeName(sender.kind, taken));
  const [key, setKey] = useState("");
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => change.create({ name: name.trim(), kind: sender.kind, ...(key.trim() ? { key: key.trim() } : {}) }),
    onSuccess: (made) => {
      void queries.invalidateQueries({ queryKey: keys.integrations });
      onMade(made);
    },
  });
  const problem = nameProblem(name, taken);
  const refused = error instanceof ApiError ? [error.message, ...error.remedies].join(" ") : error?.message;
  return (
    <form className={classes.form} onSubmit={(event) => { event.preventDefault(); if (!problem) mutate(); }}>
      <TextInput label="Name" description="Part of the address, and how the integration is called everywhere. It cannot be changed later." value={name} onChange={(event) => setName(event.currentTarget.value)} error={problem} maxLength={63} />
      {sender.ownKey && <TextInput label={`${sender.ownKey} (optional)`} description="If your senders have one already, give it here and they need only the new address. Empty makes a new key." value={key} onChange={(event) => setKey(event.currentTarget.value)} autoComplete="off" maxLength={200} />}
      {refused && <p role="alert" style={{ margin: 0, color: "var(--mantine-color-error)" }}>{refused}</p>}
      <div className={classes.row}>
        <Button type="submit" loading={isPending} disabled={problem !== undefined}>Make integration</Button>
        <Button variant="default" onClick={onBack}>Another sender</Button>
      </div>
    </form>
  );
}
