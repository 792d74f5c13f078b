// Who is named in a text: "@ann" behind a space, a bracket or a comma, as the server reads it.
const named = /(^|[\s([,;:])@([a-zA-Z0-9][a-zA-Z0-9._@+-]{0,63})/g;

export interface Part {
  text: string;
  /** Set when the text names somebody. */
  name?: string;
}

/** Cuts a text into what names somebody and what does not. */
export function splitMentions(text: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  for (const match of text.matchAll(named)) {
    const name = (match[2] ?? "").replace(/[._@+-]+$/, "");
    const from = match.index + (match[1] ?? "").length, to = from + 1 + name.length;
    if (from > at) parts.push({ text: text.slice(at, from) });
    parts.push({ text: text.slice(from, to), name: name.toLowerCase() });
    at = to;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

/** The name that is being written before the caret, from behind its "@" on; undefined when none is. */
export function writtenName(text: string, caret: number): string | undefined {
  return /(?:^|[\s([,;:])@([a-zA-Z0-9._@+-]{0,63})$/.exec(text.slice(0, caret))?.[1];
}

/** The text with the name before the caret written out, and where the caret is then. */
export function completeName(text: string, caret: number, name: string): { text: string; caret: number } {
  const written = writtenName(text, caret) ?? "";
  const head = `${text.slice(0, caret - written.length)}${name} `;
  return { text: head + text.slice(caret).replace(/^ /, ""), caret: head.length };
}
