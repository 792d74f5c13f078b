import { Autocomplete } from "@mantine/core";

interface Props {
  /** Seen as a label when shown, else only heard. */
  label: string;
  shown?: boolean;
  description?: string;
  placeholder: string;
  value: string;
  onChange: (text: string) => void;
  /** What the payload offers. */
  paths: readonly string[];
  error?: string | undefined;
}

/** An expression, with the payload's paths to choose from while nothing else is written. */
export function Expression({ label, shown = false, description, placeholder, value, onChange, paths, error }: Props) {
  return (
    <Autocomplete size="xs" label={shown ? label : undefined} aria-label={shown ? undefined : label} description={description} placeholder={placeholder} value={value} onChange={onChange} error={error} data={[...paths]} limit={60}
      maxDropdownHeight={240} autoComplete="off" spellCheck={false} styles={{ input: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 }, option: { fontFamily: "var(--mantine-font-family-monospace)", fontSize: 12 } }} />
  );
}
