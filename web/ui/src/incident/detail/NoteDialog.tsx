import { Button, Group, Modal } from "@mantine/core";
import { useState } from "react";
import { MentionBox } from "../../kit/MentionBox";
import classes from "./detail.module.css";

/** Asks for a note on an incident. */
export function NoteDialog({ id, onSave, onClose }: { id: string; onSave: (text: string) => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const save = (): void => { if (text.trim()) onSave(text.trim()); };
  return (
    <Modal opened onClose={onClose} title={`Note on ${id}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => { event.preventDefault(); save(); }}>
        <MentionBox first label="What should others know?" description="It stands in the timeline. Name people with @; Ctrl Enter saves." rows={4} value={text} onChange={setText} onSubmit={save} />
        <Group justify="flex-end" mt="sm">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" disabled={!text.trim()}>Add note</Button>
        </Group>
      </form>
    </Modal>
  );
}

/** The same, above the timeline. */
export function NoteBox({ onSave }: { onSave: (text: string) => Promise<boolean> }) {
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    if (!text.trim() || busy) return;
    setBusy(true);
    if (await onSave(text.trim())) setText("");
    setBusy(false);
  };
  return (
    <form className={classes.note} onSubmit={(event) => { event.preventDefault(); void save(); }}>
      <MentionBox label="Note" hideLabel placeholder="Write a note; name people with @" rows={1} value={text} onChange={setText} onSubmit={() => void save()} />
      {text.trim() && <Button type="submit" variant="default" loading={busy}>Add note</Button>}
    </form>
  );
}
