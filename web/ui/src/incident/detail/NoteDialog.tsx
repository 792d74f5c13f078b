import { Button, Group, Modal, Textarea } from "@mantine/core";
import { useState } from "react";

export function NoteDialog({ id, onSave, onClose }: { id: string; onSave: (text: string) => void; onClose: () => void }) {
  const [text, setText] = useState("");
  const save = (): void => { if (text.trim()) onSave(text.trim()); };
  return (
    <Modal opened onClose={onClose} title={`Note on ${id}`} closeButtonProps={{ "aria-label": "Close" }}>
      <form onSubmit={(event) => { event.preventDefault(); save(); }}>
        <Textarea data-autofocus label="What should others know?" description="It stands in the timeline. Ctrl Enter saves." autosize minRows={4} maxLength={4000} value={text} onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save(); }} />
        <Group justify="flex-end" mt="sm">
          <Button variant="default" onClick={onClose}>Cancel</Button>
          <Button type="submit" disabled={!text.trim()}>Add note</Button>
        </Group>
      </form>
    </Modal>
  );
}
