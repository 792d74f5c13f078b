import { Autocomplete, Button, Group, Modal, Textarea } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { approvalKey } from "../approval/query";
import { askAlias, type Version } from "./query";

/** Asks others to point an alias to a version. */
export function AliasDialog({ of, onClose }: { of: Version; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [alias, setAlias] = useState("champion");
  const [reason, setReason] = useState("");
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => askAlias(of.model, alias.trim(), of.version, reason.trim()),
    onSuccess: async (made) => { await queries.invalidateQueries({ queryKey: approvalKey }); void navigate({ to: "/approvals", search: { pick: made.id } }); },
  });
  const ready = alias.trim() !== "" && reason.trim() !== "";
  return (
    <Modal opened onClose={onClose} title={`Alias for version ${of.version} of ${of.model}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form style={{ display: "flex", flexDirection: "column", gap: 12 }} onSubmit={(event) => { event.preventDefault(); if (ready) mutate(); }}>
        <Autocomplete data-autofocus label="Alias" description="It points to this version when another person has approved." data={["champion", "challenger"]} value={alias} onChange={setAlias} maxLength={255} required />
        <Textarea label="Why" description="For the person who decides." required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        {error && <p role="alert" style={{ margin: 0 }}>{sayProblem(error)}</p>}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={isPending} disabled={!ready}>Ask for it</Button>
        </Group>
      </form>
    </Modal>
  );
}
