import { Button, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** A button that copies, and says that it did. */
export function Copy({ value, what }: { value: string; what?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => <Button style={{ flex: "none" }} variant="default" size="compact-xs" onClick={copy} aria-label={what && (copied ? `Copied ${what}` : `Copy ${what}`)} leftSection={copied ? <IconCheck size={13} /> : <IconCopy size={13} />}>{copied ? "Copied" : "Copy"}</Button>}
    </CopyButton>
  );
}
