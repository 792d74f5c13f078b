import { useEffect, useRef } from "react";
import classes from "./DataTable.module.css";

interface Props {
  label: string;
  checked: boolean;
  some?: boolean;
  onChange: (range: boolean) => void;
}

/** The checkbox of a row or, with "some", of all rows. The browser's own, because there are many. */
export function Box({ label, checked, some = false, onChange }: Props) {
  const ref = useRef<HTMLInputElement>(null);
  useEffect(() => { if (ref.current) ref.current.indeterminate = some; }, [some]);
  return <input ref={ref} type="checkbox" className={classes.box} aria-label={label} checked={checked} onChange={(event) => onChange((event.nativeEvent as MouseEvent).shiftKey)} />;
}
