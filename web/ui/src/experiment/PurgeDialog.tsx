import { Button, Group, Modal, NumberInput, Textarea } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { approvalKey } from "../approval/query";
import { formatBytes } from "../kit/bytes";
import { plural } from "../kit/numbers";
import { purgeDeleted } from "./query";

/** Asks others to remove for good what was deleted, with what that would take away now. */
export function PurgeDialog({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [days, setDays] = useState<number | string>(30);
  const [reason, setReason] = useState("");
  const number = typeof days === "number" && Number.isInteger(days) && days >= 0 ? days : undefined;
  const [asked] = useDebouncedValue(number, 250);
  const preview = useQuery({ queryKey: ["experiments", "purge", asked], queryFn: () => purgeDeleted.preview(asked ?? 0), enabled: asked !== undefined, gcTime: 10_000, retry: false });
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => purgeDeleted.ask(number ?? 0, reason.trim()),
    onSuccess: async (made) => { await queries.invalidateQueries({ queryKey: approvalKey }); void navigate({ to: "/approvals", search: { pick: made.id } }); },
  });
  const ready = number !== undefined && reason.trim() !== "";
  return (
    <Modal opened onClose={onClose} title="Ask for a purge of what is deleted" closeButtonProps={{ "aria-label": "Close" }}>
      <form style={{ display: "flex", flexDirection: "column", gap: 12 }} onSubmit={(event) => { event.preventDefault(); if (ready) mutate(); }}>
        <NumberInput data-autofocus label="What was deleted more than so many days ago" description="0 is all that is deleted." min={0} max={36_500} value={days} onChange={setDays} allowDecimal={false} />
        <div aria-live="polite">
          {preview.data && <p style={{ margin: 0 }}>Now that is {plural(preview.data.experiments, "experiment")}, {plural(preview.data.runs, "run")} and {plural(preview.data.models, "logged model")}, with {plural(preview.data.files, "file")} of {formatBytes(preview.data.bytes)}. They cannot be brought back. What a registered model needs stays.</p>}
          {preview.error && <p role="alert" style={{ margin: 0 }}>{sayProblem(preview.error)}</p>}
        </div>
        <Textarea label="Why" description="For the person who decides." required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {error && <p role="alert" style={{ margin: 0 }}>{sayProblem(error)}</p>}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={isPending} disabled={!ready || preview.isError}>Ask for it</Button>
        </Group>
      </form>
    </Modal>
  );
}
