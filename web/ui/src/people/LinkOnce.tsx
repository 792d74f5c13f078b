import { Copy } from "../kit/Copy";
import { Time } from "../kit/Time";
import classes from "./people.module.css";
import type { LinkMade } from "./query";

/** A one-time link, the only time that it is shown. */
export function LinkOnce({ link, name }: { link: LinkMade; name: string }) {
  const address = window.location.origin + link.path;
  return (
    <div className={classes.link} role="status">
      <p>Give {name} this link. It works once, until <Time at={link.expiresAt} />, and is not shown again.</p>
      <div className={classes.address}><code className="mono" data-testid="link">{address}</code><Copy value={address} what="the link" /></div>
    </div>
  );
}
