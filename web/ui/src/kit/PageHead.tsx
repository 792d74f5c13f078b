import { useDocumentTitle } from "@mantine/hooks";
import classes from "./PageHead.module.css";

interface Props {
  title: string;
  /** What the page is for, in a sentence or two. */
  children?: React.ReactNode;
  actions?: React.ReactNode;
}

/** The top of a page: its name, what it is for, and what can be done. */
export function PageHead({ title, children, actions }: Props) {
  useDocumentTitle(`${title} · Fairlead`);
  return (
    <header className={classes.head}>
      <div className={classes.words}>
        <h1 className={classes.title}>{title}</h1>
        {children && <p className="dim">{children}</p>}
      </div>
      {actions && <div className={classes.actions}>{actions}</div>}
    </header>
  );
}
