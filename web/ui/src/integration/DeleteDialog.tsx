import { Button, Group, Modal } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { change, keys } from "../api/queries";
import type { IntegrationDetail } from "../api/types";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import { sayToast } from "../kit/toast";

/** Asks before a door is closed for good: its keys cannot be brought back. */
export function DeleteDialog({ integration, onClose }: { integration: IntegrationDetail; onClose: () => void }) {
  const { name, lastAt, requests } = integration;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => change.remove(name),
    onSuccess: async () => {
      sayToast(`${name} is deleted.`);
      await navigate({ to: "/integrations", search: {} });
      queries.removeQueries({ queryKey: keys.integration(name) });
      void queries.invalidateQueries({ queryKey: keys.integrations });
    },
  });
  return (
    <Modal opened onClose={onClose} title={`Delete ${name}?`} closeButtonProps={{ "aria-label": "Close" }}>
      <p style={{ marginTop: 0 }}>
        {lastAt ? <>It was last used <Time at={lastAt} />, {plural(requests, "request")} since the server started. </> : "Nothing came through it since the server started. "}
        Its senders are refused from now on, and its keys, mapper and captured payloads are gone for good. Alerts and incidents stay.
      </p>
      {error && <p role="alert">{error.message}</p>}
      <Group justify="flex-end" gap={8}>
        <Button variant="default" onClick={onClose} data-autofocus>Keep it</Button>
        <Button loading={isPending} onClick={() => mutate()}>Delete {name}</Button>
      </Group>
    </Modal>
  );
}
