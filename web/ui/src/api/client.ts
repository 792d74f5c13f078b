import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { Problem } from "./types";

/** A refusal or failure, in words for the person at the page. */
export class ApiError extends Error {
  readonly status: number;
  readonly title: string;
  readonly remedies: string[];
  /** What to give to whoever looks after the server. */
  readonly id: string | undefined;
  /** How it is now, when somebody else has changed it meanwhile. */
  readonly present: unknown;

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.title = problem.title ?? "The server refused";
    this.id = problem.id;
    this.present = problem.present;
    this.remedies = (problem.errors ?? []).map((e) => [e.field, e.remedy].filter(Boolean).join(": "));
  }
}

// Values that may hold a comma stand each for themselves; lists of words are one value with commas.
const repeated = new Set(["match", "order"]);

/** A refusal in one text: what is wrong and what to do about each field. */
export const sayProblem = (error: Error): string => (error instanceof ApiError ? [error.message, ...error.remedies].join(" ") : error.message);

/** Writes a query as the server reads it. */
export function writeQuery(query: Record<string, unknown>): string {
  const parts = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    const values: unknown[] = Array.isArray(value) ? value : [value];
    const texts = values.flatMap((v) => (typeof v === "string" || typeof v === "number" || typeof v === "boolean" ? [String(v)] : []));
    if (repeated.has(key)) for (const text of texts) parts.append(key, text);
    else if (texts.length > 0) parts.append(key, texts.join(","));
  }
  return parts.toString();
}

export const client = createClient<paths>({ baseUrl: "/", querySerializer: writeQuery });

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** Returns the data of an answer or throws its ApiError. */
export async function take<T>(pending: Promise<Answer<T>>): Promise<NonNullable<T>> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch {
    throw new ApiError(0, { title: "No answer", detail: "Fairlead does not answer. What you see may be old; nothing that it accepted is lost." });
  }
  if (answer.error !== undefined || !answer.response.ok) {
    const problem = typeof answer.error === "object" && answer.error !== null ? answer.error : {};
    throw new ApiError(answer.response.status, problem);
  }
  if (answer.data === undefined || answer.data === null) throw new ApiError(answer.response.status, { detail: "The answer was empty." });
  return answer.data;
}

/** Waits for an answer that has no content, or throws its ApiError. */
export async function done(pending: Promise<Answer<unknown>>): Promise<void> {
  await take(pending.then((answer) => (answer.error === undefined && answer.response.ok ? { ...answer, data: {} } : answer)));
}
