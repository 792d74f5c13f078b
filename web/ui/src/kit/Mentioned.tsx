import { Fragment } from "react";
import { splitMentions } from "./mentions";
import classes from "./Mentioned.module.css";

/** A text that people wrote, with those whom it names set apart. */
export function Mentioned({ text }: { text: string }) {
  return <>{splitMentions(text).map((part, i) => (part.name ? <span key={i} className={classes.name}>{part.text}</span> : <Fragment key={i}>{part.text}</Fragment>))}</>;
}
