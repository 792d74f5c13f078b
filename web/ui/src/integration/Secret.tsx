import { Copy } from "../kit/Copy";
import classes from "./integration.module.css";

/** A new key, the only time that it is shown. */
export function Secret({ secret }: { secret: string }) {
  return (
    <>
      <div className={classes.secret}><code className="mono" data-testid="key">{secret}</code><Copy value={secret} what="the key" /></div>
      <p className="dim" style={{ margin: "4px 0 0" }}>Copy it now: it is kept only as a hash and never shown again.</p>
    </>
  );
}
