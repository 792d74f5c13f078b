import { Button, Group, Modal, NumberInput, TagsInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./approval.module.css";
import { approvalKey, purge } from "./query";

/** Asks others to remove old incidents and alerts for good, with what that would take away now. */
export function PurgeDialog({ onClose, onAsked }: { onClose: () => void; onAsked: (id: string) => void }) {
  const queries = useQueryClient();
  const [days, setDays] = useState<number | string>(365);
  const [matchers, setMatchers] = useState<string[]>([]);
  const [reason, setReason] = useState("");
  const number = typeof days === "number" && Number.isInteger(days) && days >= 1 ? days : undefined;
  const [asked] = useDebouncedValue(number, 250);
  const preview = useQuery({ queryKey: [...approvalKey, "purge", asked, matchers], queryFn: () => purge.preview(asked ?? 1, matchers), enabled: asked !== undefined, gcTime: 10_000, retry: false });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => purge.ask(number ?? 1, matchers, reason.trim()),
    onSuccess: async (made) => { await queries.invalidateQueries({ queryKey: approvalKey }); onAsked(made.id); },
  });
  return (
    <Modal opened onClose={onClose} title="Ask for a purge" closeButtonProps={{ "aria-label": "Close" }}>
      <form className={classes.form} onSubmit={(event) => { event.preventDefault(); if (number && reason.trim()) mutate(); }}>
        <NumberInput data-autofocus label="What ended more than so many days ago" min={1} max={36_500} value={days} onChange={setDays} allowDecimal={false} />
        <TagsInput label="Only incidents whose alerts all match (optional)" description="Matchers as in silences, for instance service=cart; Enter adds one." value={matchers} onChange={setMatchers} />
        <div aria-live="polite">
          {preview.data && <p style={{ margin: 0 }}>Now that is {plural(preview.data.incidents, "incident")} with {plural(preview.data.alerts, "alert")}{preview.data.oldest && preview.data.newest && <>, ended between <Time at={preview.data.oldest} /> and <Time at={preview.data.newest} /></>}. They cannot be brought back.</p>}
          {preview.error && <p role="alert" style={{ margin: 0 }}>{sayProblem(preview.error)}</p>}
        </div>
        <Textarea label="Why" description="For the person who decides." required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {error && <p role="alert" style={{ margin: 0 }}>{sayProblem(error)}</p>}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={isPending} disabled={!number || !reason.trim() || preview.isError}>Ask for it</Button>
        </Group>
      </form>
    </Modal>
  );
}
