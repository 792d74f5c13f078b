import { Button } from "@mantine/core";
import type { IntegrationEdit } from "../api/types";
import classes from "./integration.module.css";
import type { Edit } from "./useEdit";

interface Props {
  edit: Edit;
  /** The part of the draft that this form is about. */
  part: Partial<Required<IntegrationEdit>>;
  disabled?: boolean;
  children?: React.ReactNode;
}

/** Save and give up; when somebody else saved meanwhile, the choice between theirs and mine. */
export function SaveBar({ edit, part, disabled = false, children }: Props) {
  if (edit.overtaken) {
    return (
      <div className={classes.notice} role="alert">
        <p>Somebody else changed this integration while you were editing. Nothing of yours is lost: it stands above, not yet saved.</p>
        <div className={classes.row}>
          <Button variant="default" onClick={edit.discard}>Take theirs, give mine up</Button>
          <Button variant="default" loading={edit.saving} disabled={disabled} onClick={() => edit.overwrite(part)}>Save mine over it</Button>
        </div>
      </div>
    );
  }
  return (
    <div className={classes.save}>
      <Button loading={edit.saving} disabled={!edit.dirty || disabled} onClick={edit.save}>Save</Button>
      <Button variant="default" disabled={!edit.dirty} onClick={edit.discard}>Discard</Button>
      {children}
    </div>
  );
}
