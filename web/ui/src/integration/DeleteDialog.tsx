import { Button, Group, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { change } from "../api/queries";
import type { IntegrationDetail } from "../api/types";
import { approvalKey } from "../approval/query";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import { sayToast } from "../kit/toast";

/** Asks others to close a door for good: its keys cannot be brought back, so a second person decides. */
export function DeleteDialog({ integration, onClose }: { integration: IntegrationDetail; onClose: () => void }) {
  const { name, lastAt, requests } = integration;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [reason, setReason] = useState("");
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => change.remove(name, reason.trim()),
    onSuccess: async (asked) => {
      sayToast(`Asked to delete ${name}. It stays until another person approves.`);
      await queries.invalidateQueries({ queryKey: approvalKey });
      await navigate({ to: "/approvals", search: { pick: asked.id } });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Ask to delete ${name}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => { event.preventDefault(); mutate(); }}>
        <p style={{ marginTop: 0 }}>
          {lastAt ? <>It was last used <Time at={lastAt} />, {plural(requests, "request")} since the server started. </> : "Nothing came through it since the server started. "}
          Once another person has approved, its senders are refused, and its keys, mapper and captured payloads are gone for good. Alerts and incidents stay.
        </p>
        <Textarea data-autofocus label="Why" description="For the person who decides." required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {error && <p role="alert">{error.message}</p>}
        <Group justify="flex-end" gap={8} mt="md">
          <Button variant="default" onClick={onClose}>Keep it</Button>
          <Button type="submit" loading={isPending} disabled={!reason.trim()}>Ask to delete {name}</Button>
        </Group>
      </form>
    </Modal>
  );
}
