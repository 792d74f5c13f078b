/** The kind, or the kind with a number when that name is taken. */
export function freeName(kind: string, taken: readonly string[]): string {
  if (!taken.includes(kind)) return kind;
  for (let n = 2; ; n++) if (!taken.includes(`${kind}-${n}`)) return `${kind}-${n}`;
}

/** What is wrong with a name, or nothing. */
export function nameProblem(name: string, taken: readonly string[]): string | undefined {
  const trimmed = name.trim();
  if (trimmed === "") return "Give it a name.";
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(trimmed)) return "Use lower-case letters, digits and dashes.";
  if (trimmed === "new") return "“new” is the name of this page; choose another.";
  return taken.includes(trimmed) ? "This name is taken." : undefined;
}
