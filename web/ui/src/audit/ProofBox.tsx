import { Button, Group } from "@mantine/core";
import { IconAlertTriangle, IconCheck, IconDownload, IconMinus } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { download } from "../kit/csv";
import classes from "./audit.module.css";
import type { Finding } from "./check";
import type { AuditState, Entry } from "./query";

function Mark({ of }: { of: Finding }) {
  if (of.good === undefined) return <span className="dim"><IconMinus size={15} aria-hidden /> {of.what}: first look</span>;
  return of.good ? <span className={classes.good}><IconCheck size={15} aria-hidden /> {of.what}: holds</span> : <span className={classes.bad}><IconAlertTriangle size={15} aria-hidden /> {of.what}: fails</span>;
}

/** Proves the log, or an entry of it, in this browser. */
export function ProofBox({ state, entry }: { state: AuditState; entry?: Entry }) {
  const { mutate, data, error, isPending } = useMutation({ mutationFn: async () => (await import("./check")).prove(state, entry) });
  return (
    <div className={classes.proof}>
      <Group gap={8}>
        <Button size="xs" variant="default" loading={isPending} onClick={() => mutate()}>{entry ? "Prove this entry" : "Prove the log"}</Button>
        {data && <Button size="xs" variant="subtle" leftSection={<IconDownload size={14} aria-hidden />} onClick={() => download(`fairlead-evidence-${entry ? String(entry.n) : "log"}.json`, JSON.stringify({ ...(entry ? { entry } : {}), ...data.evidence }, null, 2), "application/json")}>Save the evidence</Button>}
      </Group>
      {error && <p role="alert">{error.message}</p>}
      {data && <div role="status"><ul className={classes.findings}>{data.findings.map((f) => <li key={f.what}><Mark of={f} /><p>{f.words}</p></li>)}</ul></div>}
      {!data && <p className="dim">Computed by this browser with SHA-256 and Ed25519, whatever the server claims.</p>}
    </div>
  );
}
