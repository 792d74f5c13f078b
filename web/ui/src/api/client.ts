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

  constructor(status: number, problem: Partial<Problem>) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}.`);
    this.status = status;
    this.title = problem.title ?? "The server refused";
    this.id = problem.id;
    this.remedies = (problem.errors ?? []).map((e) => [e.field, e.remedy].filter(Boolean).join(": "));
  }
}

export const client = createClient<paths>({ baseUrl: "/", querySerializer: { array: { style: "form", explode: false } } });

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
