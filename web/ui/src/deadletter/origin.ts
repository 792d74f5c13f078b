/** The receiver of a dead letter and the integration that it came through, from "datadog/prod" or a bare "prometheus". */
export function originOf(receiver: string): { receiver: string; integration: string | undefined } {
  const slash = receiver.indexOf("/");
  return slash < 0 ? { receiver, integration: undefined } : { receiver: receiver.slice(0, slash), integration: receiver.slice(slash + 1) || undefined };
}
