import { Paste } from "../kit/Paste";
import classes from "./integration.module.css";
import { guideOf } from "./snippets";

/** What stands for a key that is no longer known. */
export const unknownKey = "YOUR_KEY";

/** What stands for a signing key that is no longer known. */
export const unknownSigningKey = "YOUR_SIGNING_KEY";

interface Props {
  kind: string;
  name: string;
  secret?: string;
  signing?: string | undefined;
}

/** The lines to paste into the sender, and one that plays the sender. */
export function SetUp({ kind, name, secret = unknownKey, signing = unknownSigningKey }: Props) {
  const guide = guideOf(kind, { origin: window.location.origin, name, key: secret, signing });
  return (
    <>
      {guide.note && <p className="dim">{guide.note}</p>}
      {guide.steps.map((step) => <Paste key={step.caption} caption={step.caption} lines={step.lines} />)}
      {guide.signed && <Paste caption={guide.signed.caption} lines={guide.signed.lines} />}
      <h3 className={classes.heading}>Try it</h3>
      <Paste caption="Run this to send one harmless alert as the tool would:" lines={guide.test} />
    </>
  );
}
