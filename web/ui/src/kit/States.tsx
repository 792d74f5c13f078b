import { Button, Skeleton } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { ApiError } from "../api/client";
import { Paste } from "./Paste";
import classes from "./States.module.css";

interface EmptyProps {
  title: string;
  children?: React.ReactNode;
  /** Lines to paste, and what they are. */
  paste?: { caption: string; lines: string };
  /** What to press to get it. */
  actions?: React.ReactNode;
}

/** What would be here, and how to get it. */
export function Empty({ title, children, paste, actions }: EmptyProps) {
  return (
    <div className={classes.state}>
      <h2 className={classes.title}>{title}</h2>
      {children && <p className="dim">{children}</p>}
      {paste && <Paste {...paste} />}
      {actions && <div className={classes.actions}>{actions}</div>}
    </div>
  );
}

/** What happened, what was kept, what to do, and the id to give to support. */
export function Failure({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const known = error instanceof ApiError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return (
    <div className={classes.state} role="alert">
      <h2 className={classes.title}><IconAlertTriangle size={18} aria-hidden /> {known?.title ?? "This page failed"}</h2>
      <p>{message}</p>
      {known?.remedies.map((remedy) => <p key={remedy}>{remedy}</p>)}
      <div className={classes.actions}>
        {retry && <Button variant="default" onClick={retry}>Try again</Button>}
        {known?.id && <span className="dim">Id for support: <span className="mono">{known.id}</span></span>}
      </div>
    </div>
  );
}

/** Grey rows while the first answer is awaited. */
export function Loading({ rows = 12, label = "Loading" }: { rows?: number; label?: string }) {
  return (
    <div className={classes.loading} role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, i) => <Skeleton key={i} height={14} my={11} width={`${[92, 64, 78, 85, 58, 73][i % 6] ?? 80}%`} />)}
    </div>
  );
}
