import { Button } from "@mantine/core";
import type { IntegrationEdit } from "../api/types";
import { Overtaken, type Said } from "../kit/Overtaken";
import classes from "./integration.module.css";
import type { Edit } from "./useEdit";

interface Props {
  edit: Edit;
  /** The part of the draft that this form is about. */
  part: Partial<Required<IntegrationEdit>>;
  disabled?: boolean;
  children?: React.ReactNode;
}

/** What the fields of a part say. */
function said(edit: Partial<Required<IntegrationEdit>>, part: Props["part"]): Said {
  const fields: [string, string][] = [];
  if (part.resolveTimeout !== undefined) fields.push(["Resolve timeout", edit.resolveTimeout ?? ""], ["Forward to", edit.forward ?? ""], ["Observe only", edit.observe ? "yes" : "no"]);
  if (part.mapper) {
    const { labels = {}, annotations = {}, ...expressions } = edit.mapper ?? {};
    const pairs = { ...expressions, ...prefixed("label", labels), ...prefixed("annotation", annotations) };
    fields.push(...Object.entries(pairs).map(([field, text]): [string, string] => [field, text]));
  }
  return fields;
}

const prefixed = (word: string, pairs: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(pairs).map(([name, text]) => [`${word} ${name}`, text]));

/** Save and give up; when somebody else saved meanwhile, the choice between theirs and mine. */
export function SaveBar({ edit, part, disabled = false, children }: Props) {
  if (edit.theirs) {
    return <Overtaken what="this integration" theirs={said(edit.theirs, part)} mine={said(part, part)} saving={edit.saving} disabled={disabled} onTake={edit.discard} onKeep={() => edit.overwrite(part)} />;
  }
  return (
    <div className={classes.save}>
      <Button loading={edit.saving} disabled={!edit.dirty || disabled} onClick={edit.save}>Save</Button>
      <Button variant="default" disabled={!edit.dirty} onClick={edit.discard}>Discard</Button>
      {children}
    </div>
  );
}
