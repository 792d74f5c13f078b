// Filters are text: `state:open,acknowledged severity:critical payment`. The same text stands in the URL.

export interface Filter {
  /** Values by key, in the order written; a key without values is absent. */
  terms: Record<string, string[]>;
  /** The words that belong to no key. */
  text: string;
}

/** Reads a filter. Only the given keys are keys; anything else with a colon is text. */
export function parseFilter(source: string, keys: readonly string[]): Filter {
  const terms: Record<string, string[]> = {};
  const words: string[] = [];
  for (const word of source.split(/\s+/).filter(Boolean)) {
    const colon = word.indexOf(":");
    const key = word.slice(0, colon).toLowerCase();
    const values = word.slice(colon + 1).split(",").filter(Boolean);
    if (colon < 1 || !keys.includes(key)) words.push(word);
    else if (values.length > 0) terms[key] = [...new Set([...(terms[key] ?? []), ...values])];
  }
  return { terms, text: words.join(" ") };
}

/** Writes a filter so that parseFilter reads the same. */
export function formatFilter(filter: Filter): string {
  const parts = Object.entries(filter.terms).filter(([, values]) => values.length > 0).map(([key, values]) => `${key}:${values.join(",")}`);
  return [...parts, filter.text].filter(Boolean).join(" ");
}

/** The filter with value put in or taken out of key. */
export function toggleTerm(filter: Filter, key: string, value: string): Filter {
  const had = filter.terms[key] ?? [];
  const values = had.includes(value) ? had.filter((v) => v !== value) : [...had, value];
  const terms = { ...filter.terms, [key]: values };
  if (values.length === 0) return { ...filter, terms: Object.fromEntries(Object.entries(terms).filter(([k]) => k !== key)) };
  return { ...filter, terms };
}

/** Milliseconds of "90s", "15m", "24h" or "7d"; undefined for anything else. */
export function parseSpan(text: string): number | undefined {
  const match = /^(\d+)([smhd])$/.exec(text);
  if (!match) return undefined;
  const unit = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as "s" | "m" | "h" | "d"];
  return Number(match[1]) * unit;
}
