import { Switch, TextInput } from "@mantine/core";
import { ApiError } from "../api/client";
import type { IntegrationDetail } from "../api/types";
import classes from "./integration.module.css";
import { SaveBar } from "./SaveBar";
import { useEdit } from "./useEdit";

/** The remedy for a field that the server refused, or nothing. */
function remedyFor(error: Error | null | undefined, field: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const prefix = `body.${field}: `;
  return error.remedies.find((r) => r.startsWith(prefix))?.slice(prefix.length);
}

export function SettingsForm({ integration }: { integration: IntegrationDetail }) {
  const edit = useEdit(integration);
  const { resolveTimeout, forward, observe } = edit.draft;
  const errors = { resolveTimeout: remedyFor(edit.error, "resolveTimeout"), forward: remedyFor(edit.error, "forward") };
  const other = edit.error && !errors.resolveTimeout && !errors.forward ? edit.error.message : undefined;
  return (
    <div className={classes.form}>
      <TextInput label="Resolve timeout" placeholder="the sender’s default" value={resolveTimeout} error={errors.resolveTimeout}
        description="An alert whose sender does not say that it ended counts as ended this long after its last report, for instance 5m or 1h30m. 0 means never; empty takes the sender’s default."
        onChange={(event) => edit.set({ resolveTimeout: event.currentTarget.value.trim() })} />
      <TextInput label="Forward to" placeholder="https://events.pagerduty.com" value={forward} error={errors.forward}
        description="For a trial beside today’s tool: each request is passed on to it untouched, with the sender’s own credentials, and the sender gets its answer. An address without a path gets the sender’s path."
        onChange={(event) => edit.set({ forward: event.currentTarget.value.trim() })} />
      <Switch label="Observe only" checked={observe} description="Alerts become incidents as usual, but Fairlead tells nobody of them." onChange={(event) => edit.set({ observe: event.currentTarget.checked })} />
      {other && <p role="alert" style={{ margin: 0, color: "var(--mantine-color-error)" }}>{other}</p>}
      <SaveBar edit={edit} part={{ resolveTimeout, forward, observe }} />
    </div>
  );
}
