import { Button, Loader, UnstyledButton } from "@mantine/core";
import { IconChevronDown, IconChevronRight } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Capture, IntegrationDetail } from "../api/types";
import { Copy } from "../kit/Copy";
import { pretty } from "../kit/json";
import { OutcomeMark } from "../kit/Marks";
import { plural } from "../kit/numbers";
import { Time } from "../kit/Time";
import classes from "./integration.module.css";
import { useMaps } from "./senders";

/** The way from a capture to its alerts: "accepted" needs no more words. */
const outcomeOf = (capture: Capture): string => (capture.outcome === "accepted" ? (capture.alerts > 0 ? plural(capture.alerts, "alert") : "no alert in it") : capture.outcome);

export function Payload({ capture }: { capture: Capture }) {
  const headers = Object.entries(capture.headers).sort(([a], [b]) => a.localeCompare(b));
  const body = pretty(capture.body);
  return (
    <>
      {headers.length > 0 && (
        <table className={classes.pairs}>
          <caption className="hidden-text">Headers</caption>
          <tbody>{headers.map(([name, value]) => <tr key={name}><th scope="row" className="mono">{name}</th><td className="mono">{value}</td></tr>)}</tbody>
        </table>
      )}
      {capture.truncated && <p className="dim">It was longer than what is kept: the end is missing.</p>}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long payloads scroll, and the keyboard must reach that */}
      <pre className={`mono ${classes.payload}`} tabIndex={0} aria-label="Payload">{body || "(empty)"}</pre>
    </>
  );
}

interface RowProps {
  capture: Capture;
  integration: IntegrationDetail;
  open: boolean;
  onToggle: () => void;
}

function Row({ capture, integration, open, onToggle }: RowProps) {
  const maps = useMaps(integration.kind);
  return (
    <li>
      <UnstyledButton className={classes.capture} onClick={onToggle} aria-expanded={open}>
        {open ? <IconChevronDown size={14} aria-hidden /> : <IconChevronRight size={14} aria-hidden />}
        <span className="dim"><Time at={capture.at} /></span>
        <OutcomeMark ok={capture.status < 300} word={`${capture.status < 300 ? "accepted" : "refused"} ${capture.status}`} />
        <span className={`cut ${classes.outcome}`} title={capture.outcome}>{open && capture.status >= 300 ? "" : outcomeOf(capture)}</span>
      </UnstyledButton>
      {open && (
        <div className={classes.opened}>
          {capture.status >= 300 && <p>{capture.outcome}</p>}
          <Payload capture={capture} />
          <div className={classes.row} style={{ marginTop: 8 }}>
            <Copy value={capture.body} what="the payload" />
            {maps && <Button renderRoot={(props) => <Link to="/integrations/$name" params={{ name: integration.name }} search={{ tab: "mapper", pick: capture.at }} {...props} />} variant="default" size="compact-xs">Map it</Button>}
          </div>
        </div>
      )}
    </li>
  );
}

/** The payloads that came last, newest first; the newest stands open until another is chosen. */
export function Captures({ integration }: { integration: IntegrationDetail }) {
  const [chosen, setChosen] = useState<string>();
  const { captures } = integration;
  const open = chosen ?? captures[0]?.at;
  if (captures.length === 0) return <Waiting />;
  return (
    <ul className={classes.captures} aria-label="Last payloads">
      {captures.map((capture, i) => <Row key={`${capture.at} ${captures.length - i}`} capture={capture} integration={integration} open={capture.at === open} onToggle={() => setChosen(capture.at === open ? "" : capture.at)} />)}
    </ul>
  );
}

export function Waiting() {
  return <div className={classes.waiting} role="status"><Loader size={16} color="gray" aria-hidden /> Waiting for the first payload. It appears here as it arrives.</div>;
}
