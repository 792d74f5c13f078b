import { Popover, UnstyledButton } from "@mantine/core";
import type { Term } from "../api/types";
import classes from "./Terms.module.css";

/** The terms of a judgement with their weights as small bars, strongest first. */
export function Terms({ terms }: { terms: readonly Term[] }) {
  const top = Math.max(0.5, ...terms.map((t) => Math.abs(t.weight)));
  const sorted = [...terms].sort((a, b) => Math.abs(b.weight) - Math.abs(a.weight));
  const sum = terms.reduce((s, t) => s + t.weight, 0);
  return (
    <table className={classes.terms}>
      <caption className="hidden-text">Terms of this judgement</caption>
      <thead className="hidden-text"><tr><th scope="col">Term</th><th scope="col">Weight</th><th scope="col">Because</th></tr></thead>
      <tbody>
        {sorted.map((term) => (
          <tr key={term.name}>
            <th scope="row">{term.name}</th>
            <td className={classes.weight}>
              <span className={classes.track} aria-hidden>
                <span className={term.weight < 0 ? classes.against : classes.for} style={{ width: `${(Math.abs(term.weight) / top) * 50}%` }} />
              </span>
              <span>{term.weight > 0 ? "+" : "−"}{Math.abs(term.weight).toFixed(1)}</span>
            </td>
            <td className="dim">{term.detail}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">sum</th>
          <td className={classes.weight}><span className={classes.track} aria-hidden /><span>{sum >= 0 ? "+" : "−"}{Math.abs(sum).toFixed(1)}</span></td>
          <td className="dim">log-odds; above 0 speaks for it</td>
        </tr>
      </tfoot>
    </table>
  );
}

/** The "why" of an automatic judgement. */
export function Why({ terms, children }: { terms: readonly Term[]; children?: React.ReactNode }) {
  if (terms.length === 0) return null;
  return (
    <Popover width={420} position="bottom-start" shadow="md" withinPortal trapFocus>
      <Popover.Target>
        <UnstyledButton className={classes.why}>why?</UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown className={classes.drop}>
        <Terms terms={terms} />
        {children}
      </Popover.Dropdown>
    </Popover>
  );
}
