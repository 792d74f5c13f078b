import { Copy } from "./Copy";
import classes from "./Paste.module.css";

/** Lines to paste somewhere, with a button that copies them. */
export function Paste({ caption, lines }: { caption: React.ReactNode; lines: string }) {
  return (
    <figure className={classes.paste}>
      <figcaption className="dim">{caption}<Copy value={lines} /></figcaption>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long lines scroll, and the keyboard must reach that */}
      <pre tabIndex={0} className="mono">{lines}</pre>
    </figure>
  );
}
