// The view's state as plain text in the URL: `?q=state:open severity:critical&tab=alerts`.

/** What a page keeps in the URL. Every value is text; an absent key means the page's default. */
export interface Search {
  q?: string;
  sort?: string;
  tab?: string;
  /** The alert in the drawer. */
  alert?: string;
  /** The alert whose decision record is read. */
  pick?: string;
  from?: string;
  to?: string;
  /** How much later than today's tool Fairlead may tell. */
  late?: string;
  /** The anomaly in the drawer. */
  anomaly?: string;
  /** With what a chart is compared. */
  compare?: string;
  /** The columns of a table of runs, a line each, such as m:loss. */
  cols?: string;
  /** By which column runs are grouped. */
  group?: string;
  /** deleted, for what is deleted. */
  view?: string;
  /** The file that is looked at. */
  file?: string;
  /** The span that is looked at. */
  span?: string;
  /** The matchers of a silence to be made, a line each. */
  match?: string;
}

const names = ["q", "sort", "tab", "alert", "pick", "from", "to", "late", "anomaly", "compare", "match", "cols", "group", "view", "file", "span"] as const;

export function readSearch(raw: Record<string, unknown>): Search {
  const search: Search = {};
  for (const name of names) {
    const value = raw[name];
    if (typeof value === "string") search[name] = value;
  }
  return search;
}

export const parseSearch = (text: string): Record<string, string> => Object.fromEntries(new URLSearchParams(text));

export function stringifySearch(search: Record<string, unknown>): string {
  const parts = Object.entries(search).flatMap(([key, value]) => (typeof value === "string" ? [`${key}=${encode(value)}`] : []));
  return parts.length === 0 ? "" : `?${parts.join("&")}`;
}

/** Escapes what must be escaped and leaves colons and commas readable. */
const encode = (text: string): string => encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%20", "+");
