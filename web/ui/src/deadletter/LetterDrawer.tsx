import { Drawer } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { DeadLetter } from "../api/types";
import { Copy } from "../kit/Copy";
import { pretty } from "../kit/json";
import { OutcomeMark } from "../kit/Marks";
import { Time } from "../kit/Time";
import classes from "./deadletter.module.css";
import { originOf } from "./origin";
import { ReplayButton, useReplay } from "./replay";

/** Which receiver refused it, and through which integration it came. */
export function Origin({ letter }: { letter: DeadLetter }) {
  const { receiver, integration } = originOf(letter.receiver);
  return integration ? <Link to="/integrations/$name" params={{ name: integration }} search={{}} className="link" data-above>{integration}</Link> : <>{receiver}</>;
}

function Letter({ letter }: { letter: DeadLetter }) {
  const replay = useReplay(letter);
  const { receiver, integration } = originOf(letter.receiver);
  return (
    <>
      <p className={classes.reason}>{letter.reason}</p>
      <p className="dim">Arrived <Time at={letter.at} />{integration ? <> through <Origin letter={letter} />, read as {receiver}</> : ` by ${receiver}`}.{letter.replayedAt && <> Last replayed <Time at={letter.replayedAt} />.</>}</p>
      <div className={classes.actions}>
        <ReplayButton replay={replay} />
        <Copy value={letter.payload} what="the payload" />
      </div>
      <div aria-live="polite">
        {replay.data && (
          <p><OutcomeMark ok={replay.data.result === "accepted"} word={replay.data.result === "accepted" ? "It was accepted this time" : "It was refused again"} />{replay.data.reason && <span className={classes.again}>{replay.data.reason}</span>}</p>
        )}
        {replay.error && <p role="alert">{replay.error.message}</p>}
      </div>
      {letter.truncated && <p className="dim">The payload was longer than what is kept.</p>}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- long payloads scroll, and the keyboard must reach that */}
      <pre className={`mono ${classes.payload}`} tabIndex={0} aria-label="Payload">{pretty(letter.payload)}</pre>
    </>
  );
}

/** One dead letter: why, what it was, and another try with its outcome. */
export function LetterDrawer({ letter, onClose }: { letter: DeadLetter | undefined; onClose: () => void }) {
  return (
    <Drawer opened={letter !== undefined} onClose={onClose} position="right" size={620} title={letter?.id} closeButtonProps={{ "aria-label": "Close" }} overlayProps={{ backgroundOpacity: 0.2 }}>
      {letter && <Letter key={letter.id} letter={letter} />}
    </Drawer>
  );
}
