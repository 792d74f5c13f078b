import { Button, Group, Modal, Radio, ScrollArea, Stack, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { peopleQuery } from "../api/people";
import { meQuery } from "../api/session";

interface Props {
  /** What is given, in words. */
  what: string;
  onPick: (owner: string) => void;
  onClose: () => void;
}

/** Asks to whom incidents are given: oneself, somebody else, or nobody. */
export function OwnDialog({ what, onPick, onClose }: Props) {
  const { data: me } = useQuery(meQuery);
  const { data, isPending } = useQuery(peopleQuery);
  const [text, setText] = useState("");
  const [owner, setOwner] = useState<string>();
  const self = me?.user ?? "";
  const wanted = text.trim().toLowerCase();
  const people = (data?.items ?? []).filter((p) => p.name !== self && (p.name.toLowerCase().includes(wanted) || p.display.toLowerCase().includes(wanted))).slice(0, 100);
  const others = people.map((p) => ({ value: p.name, word: p.display && p.display !== p.name ? `${p.display} (${p.name})` : p.name }));
  const fixed = wanted ? [] : [{ value: self, word: "Me" }, { value: "", word: "Nobody: give it back" }];
  const choices = [...fixed.slice(0, 1), ...others, ...fixed.slice(1)];
  const chosen = choices.find((c) => c.value === owner) ?? choices[0];
  return (
    <Modal opened onClose={onClose} title={`Give ${what} to`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => { event.preventDefault(); if (chosen) onPick(chosen.value); }}>
        <Stack gap="sm">
          <TextInput data-autofocus size="xs" label="Find somebody" placeholder="Name" value={text} onChange={(event) => setText(event.currentTarget.value)} />
          <ScrollArea.Autosize mah={280}>
            <Radio.Group value={chosen?.value ?? ""} onChange={setOwner} label="To">
              <Stack gap={8} mt={8}>
                {choices.map((c) => <Radio key={c.value} value={c.value} size="xs" label={c.word} />)}
                {choices.length === 0 && <span className="dim">{isPending ? "Loading…" : "Nobody of that name can log in."}</span>}
              </Stack>
            </Radio.Group>
          </ScrollArea.Autosize>
          <Group justify="flex-end">
            <Button variant="default" onClick={onClose}>Cancel</Button>
            <Button type="submit" disabled={!chosen}>{chosen?.value === "" ? "Give back" : chosen?.value === self ? "Take" : `Give to ${chosen?.value ?? ""}`}</Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
