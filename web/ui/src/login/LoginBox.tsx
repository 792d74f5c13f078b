import type { ReactNode } from "react";
import classes from "./login.module.css";

/** A page without the menu, for those who are not logged in. */
export function LoginBox({ title, children }: { title: string; children: ReactNode }) {
  return (
    <main className={classes.page}>
      <div className={classes.box}>
        <div className={classes.brand}><img src="/favicon.svg" width={20} height={20} alt="" />Fairlead</div>
        <h1 className={classes.title}>{title}</h1>
        {children}
      </div>
    </main>
  );
}
