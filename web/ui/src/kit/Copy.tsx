import { Button, CopyButton } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";

/** A button that copies, and says that it did. */
export function Copy({ value, what, label = "Copy" }: { value: string; what?: string; label?: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => <Button style={{ flex: "none" }} variant="default" size="compact-xs" onClick={copy} aria-label={what && (copied ? `Copied ${what}` : `${label} ${what}`)} leftSection={copied ? <IconCheck size={13} /> : <IconCopy size={13} />}>{copied ? "Copied" : label}</Button>}
    </CopyButton>
  );
}
