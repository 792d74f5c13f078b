import { Button, Group } from "@mantine/core";
import classes from "./Overtaken.module.css";

/** What something says in each of its fields: the field's name, and its text. */
export type Said = readonly (readonly [what: string, text: string])[];

interface Props {
  /** What was changed, for a sentence: “this silence”. */
  what: string;
  theirs: Said;
  mine: Said;
  saving?: boolean;
  disabled?: boolean;
  onTake: () => void;
  onKeep: () => void;
}

/** Says that somebody else saved meanwhile, with both versions where they differ, and lets one choose. */
export function Overtaken({ what, theirs, mine, saving, disabled, onTake, onKeep }: Props) {
  const ours = new Map(mine);
  const different = theirs.filter(([field, text]) => ours.get(field) !== text);
  return (
    <div className={classes.notice} role="alert">
      <p>Somebody else has changed {what} meanwhile. What you wrote stands above, not yet saved.</p>
      {different.length > 0 ? (
        <table>
          <thead><tr><th scope="col" aria-label="Field" /><th scope="col">Theirs, saved</th><th scope="col">Yours</th></tr></thead>
          <tbody>{different.map(([field, text]) => <tr key={field}><th scope="row">{field}</th><td>{text || "(empty)"}</td><td>{ours.get(field) || "(empty)"}</td></tr>)}</tbody>{/* eslint-disable-line @typescript-eslint/prefer-nullish-coalescing -- "" is shown as empty */}
        </table>
      ) : <p>Both say the same here.</p>}
      <Group gap={8}>
        <Button variant="default" onClick={onTake}>Take theirs, give mine up</Button>
        <Button variant="default" loading={saving} disabled={disabled} onClick={onKeep}>Save mine over it</Button>
      </Group>
    </div>
  );
}
