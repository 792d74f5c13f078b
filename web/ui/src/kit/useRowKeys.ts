import { useState } from "react";
import { useKeys } from "./keys";

/** j and k move through the rows, enter opens. Answers with the row that is meant and how to set it. */
export function useRowKeys(ids: readonly string[], open: (id: string) => void): [string | undefined, (id: string) => void] {
  const [active, setActive] = useState<string>();
  const move = (by: number): void => {
    const at = active === undefined ? -1 : ids.indexOf(active);
    const next = ids[Math.min(ids.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    if (next !== undefined) setActive(next);
  };
  useKeys({ j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1), Enter: () => { if (active !== undefined) open(active); } });
  return [active, setActive];
}
