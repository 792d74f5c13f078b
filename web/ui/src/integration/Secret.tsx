import { Copy } from "../kit/Copy";
import classes from "./integration.module.css";

/** A new key, the only time that it is shown. */
export function Secret({ secret, signing }: { secret: string; signing?: string | undefined }) {
  return (
    <>
      <div className={classes.secret}><code className="mono" data-testid="key">{secret}</code><Copy value={secret} what="the key" /></div>
      {signing && (
        <>
          <p style={{ margin: "12px 0 4px" }}>Or, for a sender that signs what it sends (HMAC-SHA256) instead of showing the key, the key to sign with:</p>
          <div className={classes.secret}><code className="mono" data-testid="signing-key">{signing}</code><Copy value={signing} what="the signing key" /></div>
        </>
      )}
      <p className="dim" style={{ margin: "4px 0 0" }}>{signing ? "Copy now what you need: neither is shown again." : "Copy it now: it is kept only as a hash and never shown again."}</p>
    </>
  );
}
