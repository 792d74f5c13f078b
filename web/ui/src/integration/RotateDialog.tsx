import { Button, Group, Modal, Select } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { change, keys } from "../api/queries";
import type { IntegrationDetail } from "../api/types";
import { Secret } from "./Secret";

const overlaps = [
  { value: "0s", label: "not at all: they are closed now" },
  { value: "1h", label: "1 hour" },
  { value: "24h", label: "1 day" },
  { value: "168h", label: "7 days" },
];

/** A new key; the old ones stay good for as long as the senders need to change. */
export function RotateDialog({ integration, onClose }: { integration: IntegrationDetail; onClose: () => void }) {
  const queries = useQueryClient();
  const [overlap, setOverlap] = useState("24h");
  const { mutate, isPending, data, error } = useMutation({
    mutationFn: () => change.rotate(integration.name, overlap),
    onSuccess: () => queries.invalidateQueries({ queryKey: keys.integration(integration.name) }),
  });
  return (
    <Modal opened onClose={onClose} title={`New key for ${integration.name}`} closeButtonProps={{ "aria-label": "Close" }} closeOnClickOutside={!data}>
      {data ? <Secret secret={data.key} signing={data.signing_key} /> : (
        <Select label="The keys before stay good" description="Long enough to change every sender." data={overlaps} value={overlap} onChange={(value) => setOverlap(value ?? "24h")} disabled={integration.keys.length === 0} allowDeselect={false} comboboxProps={{ withinPortal: true }} />
      )}
      {error && <p role="alert">{error.message}</p>}
      <Group justify="flex-end" mt="md" gap={8}>
        {data ? <Button onClick={onClose}>Done</Button> : <><Button variant="default" onClick={onClose}>Cancel</Button><Button loading={isPending} onClick={() => mutate()}>Make key</Button></>}
      </Group>
    </Modal>
  );
}
