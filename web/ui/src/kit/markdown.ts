// Texts for chat and post-mortems.

/** Escapes what would become markup or end a table cell. */
export const plainMarkdown = (text: string): string => text.replaceAll(/[\\`*_[\]<>|]/g, (c) => `\\${c}`).replaceAll(/\s+/g, " ");

/** A heading with a link, and below it what is known of it, a line each; what is empty is left out. */
export function markdownOf(title: string, link: string, facts: readonly (readonly [name: string, text: string])[]): string {
  const lines = facts.filter(([, text]) => text !== "").map(([name, text]) => `- ${plainMarkdown(name)}: ${plainMarkdown(text)}`);
  return [`## [${plainMarkdown(title)}](${link})`, "", ...lines, ""].join("\n");
}
