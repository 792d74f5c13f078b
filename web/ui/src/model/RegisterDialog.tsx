import { Autocomplete, Button, Group, Modal, Select, Textarea } from "@mantine/core";
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { sayProblem } from "../api/client";
import { filesQuery, loggedModelQuery, type Run } from "../experiment/query";
import { modelsQuery, registerVersion } from "./query";

const loggedMark = "models:/";

/** Makes what a run has kept the next version of a registered model. */
export function RegisterDialog({ run, onClose }: { run: Run; onClose: () => void }) {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: files } = useQuery(filesQuery({ kind: "run", id: run.id, location: run.location, live: false }, ""));
  const { data: models } = useInfiniteQuery(modelsQuery(""));
  const { data: first } = useQuery({ ...loggedModelQuery(run.modelsMade[0] ?? ""), enabled: run.modelsMade.length > 0 });
  const named = (id: string): string => (first?.id === id ? `logged model ${first.name}` : `logged model ${id}`);
  const sources = [...run.modelsMade.map((id) => ({ value: loggedMark + id, label: named(id) })), ...(files?.items ?? []).filter((f) => f.folder).map((f) => ({ value: f.path, label: `folder ${f.path}` }))];
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string | null>(null);
  const [description, setDescription] = useState("");
  const source = chosen ?? sources[0]?.value;
  const { mutate, isPending, error } = useMutation({
    mutationFn: (from: string) => registerVersion(name.trim(), { description: description.trim(), ...(from.startsWith(loggedMark) ? { logged: from.slice(loggedMark.length) } : { run: run.id, path: from }) }),
    onSuccess: async (made) => { await queries.invalidateQueries({ queryKey: ["model", made.model] }); void navigate({ to: "/models/$name", params: { name: made.model }, search: {} }); },
  });
  const known = [...new Set(models?.pages.flatMap((page) => page.items.map((m) => m.name)) ?? [])];
  const ready = name.trim() !== "" && source !== undefined;
  return (
    <Modal opened onClose={onClose} title={`Register a model of ${run.name || run.id}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form style={{ display: "flex", flexDirection: "column", gap: 12 }} onSubmit={(event) => { event.preventDefault(); if (ready) mutate(source); }}>
        <Autocomplete data-autofocus label="Model" description={known.includes(name.trim()) ? "It gets a new version." : "A new name makes a new model."} data={known} limit={50} value={name} onChange={setName} maxLength={256} required />
        {files && sources.length === 0 ? <p role="alert" style={{ margin: 0 }}>This run has made no model and kept no folder: log one first.</p> : <Select label="What" data={sources} value={source ?? null} onChange={setChosen} allowDeselect={false} required />}
        <Textarea label="Description" description="Of this version; Markdown." autosize minRows={2} maxLength={5000} value={description} onChange={(event) => setDescription(event.currentTarget.value)} />
        {error && <p role="alert" style={{ margin: 0 }}>{sayProblem(error)}</p>}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" loading={isPending} disabled={!ready}>Register</Button>
        </Group>
      </form>
    </Modal>
  );
}
