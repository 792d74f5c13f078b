import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { previewQuery } from "../api/queries";
import type { Capture, IntegrationDetail, Mapper } from "../api/types";
import { clean, complaintOf, fields, pathsOf } from "./mapper";
import { Expression } from "./Expression";
import classes from "./integration.module.css";
import { PairsEditor } from "./PairsEditor";
import { PayloadPicker, type Picked } from "./PayloadPicker";
import { PreviewTable } from "./PreviewTable";
import { SaveBar } from "./SaveBar";
import { useEdit } from "./useEdit";

/** How payloads of the user's own making become alerts, tried live on one that came or is pasted. */
export function MapperTab({ integration, pick }: { integration: IntegrationDetail; pick: string | undefined }) {
  const { name, captures } = integration;
  const edit = useEdit(integration);
  const { mapper } = edit.draft;
  const [picked, setPicked] = useState<Picked>(() => captures.find((c) => c.at === pick) ?? captures[0]);
  if (picked === undefined && captures[0]) setPicked(captures[0]); // the first that comes; later ones do not take its place
  const payload = typeof picked === "object" ? picked.body : (picked ?? "");
  const headers = (picked as Capture | undefined)?.headers ?? {};
  const [text] = useDebouncedValue(JSON.stringify({ mapper: clean(mapper), payload, headers }), 250);
  const body = useMemo(() => JSON.parse(text) as { mapper: Mapper; payload: string; headers: Record<string, string> }, [text]);
  const { data: preview, error } = useQuery({ ...previewQuery(name, body), enabled: body.payload.trim() !== "", placeholderData: (old) => old });
  const complaint = complaintOf(preview?.error ?? "");
  const paths = useMemo(() => pathsOf(payload, mapper.each ?? ""), [payload, mapper.each]);
  const set = (part: Partial<Mapper>): void => edit.set({ mapper: { ...mapper, ...part } });
  const errorAt = (place: string): string | undefined => (complaint?.place === place ? complaint.text : undefined);
  return (
    <>
      <p className="dim" style={{ maxWidth: 820, marginBottom: 0 }}>
        A mapper reads payloads that the tool’s own format does not fit. Each field is an expression over <code className="mono">item</code>, <code className="mono">body</code> and <code className="mono">header(&quot;Name&quot;)</code>, for instance{" "}
        <code className="mono">item.code &gt;= 2 ? &quot;firing&quot; : &quot;resolved&quot;</code>. An empty field is guessed.
      </p>
      <div className={classes.split}>
        <section className={classes.fields} aria-label="Mapper">
          {fields.map(({ field, label, guess, more }) => (
            <Expression key={field} shown label={label} description={more} placeholder={`guessed: ${guess}`} value={mapper[field] ?? ""} paths={field === "each" ? paths.lists : paths.items} error={errorAt(field)} onChange={(value) => set({ [field]: value })} />
          ))}
          <h3 className={classes.heading} style={{ marginTop: 8 }}>Labels: where it is</h3>
          <PairsEditor what="label" value={mapper.labels ?? {}} onChange={(labels) => set({ labels })} paths={paths.items} errors={(label) => errorAt(`labels.${label}`)} />
          <h3 className={classes.heading} style={{ marginTop: 8 }}>Annotations: what else to read</h3>
          <PairsEditor what="annotation" value={mapper.annotations ?? {}} onChange={(annotations) => set({ annotations })} paths={paths.items} errors={(annotation) => errorAt(`annotations.${annotation}`)} />
          <SaveBar edit={edit} part={{ mapper }} disabled={complaint?.text.includes("cannot be read")}>{edit.error && <span role="alert">{edit.error.message}</span>}</SaveBar>
        </section>
        <section className={classes.side} aria-label="Preview">
          <PreviewTable preview={preview} complaint={complaint} error={error} empty={payload.trim() === ""} />
          <PayloadPicker captures={captures} picked={picked} onPick={setPicked} />
        </section>
      </div>
    </>
  );
}
