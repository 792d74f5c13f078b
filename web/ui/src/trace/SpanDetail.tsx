import { useState } from "react";
import { Button } from "@mantine/core";
import { Copy } from "../kit/Copy";
import classes from "./trace.module.css";
import { Judgements } from "./Judgements";
import type { Judgement, TraceSpan } from "./query";
import { sayJson, sayTook } from "./tree";

const long = 20_000;

/** A value as text; a long one is cut until one wants all of it. */
function Value({ title, value }: { title: string; value: unknown }) {
  const [whole, setWhole] = useState(false);
  const text = sayJson(value);
  const cut = text.length > long && !whole;
  return (
    <section aria-label={title}>
      <h3 className={classes.heading}>{title} <Copy value={text} what={title.toLowerCase()} /></h3>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls, and the keyboard must reach that */}
      <pre className={classes.value} tabIndex={0}>{cut ? `${text.slice(0, long)}…` : text}</pre>
      {cut && <Button size="compact-xs" variant="default" onClick={() => setWhole(true)}>Show all {text.length.toLocaleString("en-US")} characters</Button>}
    </section>
  );
}

/** All that one span says. */
export function SpanDetail({ span, judgements }: { span: TraceSpan; judgements: readonly Judgement[] }) {
  const attributes = Object.entries(span.attributes);
  return (
    <article className={classes.detail} aria-label={`Span ${span.name}`}>
      <h2 className={classes.title}>{span.name || span.id}</h2>
      <p className="dim">{[span.kind.toLowerCase().replaceAll("_", " "), span.status === "UNSET" ? "" : span.status.toLowerCase(), `after ${sayTook(span.start)}`, span.took === undefined ? "end not told" : `took ${sayTook(span.took)}`].filter(Boolean).join(" · ")} · <span className="mono">{span.id}</span></p>
      {span.message && <p className={classes.message}>{span.message}</p>}
      {judgements.length > 0 && <Judgements of={judgements} />}
      {span.inputs !== undefined && <Value title="Inputs" value={span.inputs} />}
      {span.outputs !== undefined && <Value title="Outputs" value={span.outputs} />}
      {span.events.map((e, i) => <Value key={i} title={`${e.name} after ${sayTook(e.at)}`} value={Object.keys(e.attributes).length ? eventText(e.attributes) : "no attributes"} />)}
      {attributes.length > 0 && (
        <section aria-label="Attributes">
          <h3 className={classes.heading}>Attributes</h3>
          <table className={classes.attributes}><tbody>{attributes.map(([key, value]) => <tr key={key}><th scope="row">{key}</th><td className="mono">{sayJson(value)}</td></tr>)}</tbody></table>
        </section>
      )}
    </article>
  );
}

/** The text of an event: of an exception its stack as it is, with line breaks. */
const eventText = (attributes: Record<string, unknown>): string => Object.entries(attributes).map(([key, value]) => `${key}: ${sayJson(value)}`).join("\n");
