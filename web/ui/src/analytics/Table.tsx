import classes from "./analytics.module.css";

export interface Cell<T> {
  header: string;
  title?: string;
  left?: boolean;
  of: (row: T) => React.ReactNode;
}

/** A short table whose first column names the row. */
export function Table<T>({ label, rows, cells, rowKey }: { label: string; rows: readonly T[]; cells: readonly Cell<T>[]; rowKey: (row: T) => string }) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- the area scrolls, and the keyboard must reach that
    <div className={classes.scroll} tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead><tr>{cells.map((c, i) => <th key={c.header} scope="col" className={i > 0 && !c.left ? classes.right : undefined} title={c.title}>{c.header}</th>)}</tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>{cells.map((c, i) => (i === 0 ? <td key={c.header}>{c.of(row)}</td> : <td key={c.header} className={c.left ? undefined : classes.right}>{c.of(row)}</td>))}</tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
