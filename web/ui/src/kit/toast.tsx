import { Button } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { ApiError } from "../api/client";
import classes from "./toast.module.css";

const undoFor = 10_000;

/** Says what was done and offers to undo it for 10 s. */
export function undoToast(text: string, undo: () => void): void {
  const id = notifications.show({
    autoClose: undoFor,
    withBorder: true,
    closeButtonProps: { "aria-label": "Close" },
    message: (
      <div className={classes.toast}>
        <span>{text}</span>
        <Button variant="default" size="compact-xs" rightSection={<kbd>u</kbd>} onClick={() => { notifications.hide(id); undo(); }}>Undo</Button>
        <span className={classes.clock} aria-hidden />
      </div>
    ),
  });
}

export function sayToast(text: string): void {
  notifications.show({ autoClose: 5_000, withBorder: true, closeButtonProps: { "aria-label": "Close" }, message: text });
}

/** Says what failed and stays until it is closed. */
export function failToast(what: string, error: unknown): void {
  const known = error instanceof ApiError ? error : undefined;
  notifications.show({
    autoClose: known?.status === 409 ? 10_000 : false,
    withBorder: true,
    closeButtonProps: { "aria-label": "Close" },
    title: what,
    message: (
      <div role="alert">
        <div>{error instanceof Error ? error.message : String(error)}</div>
        {known?.id && <div className="dim">Id for support: <span className="mono">{known.id}</span></div>}
      </div>
    ),
  });
}
