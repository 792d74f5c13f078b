import { recall, remember } from "./undo";
import { failToast, sayToast, undoToast } from "./toast";

/** Says what was done and offers to take it back, by the button or by `u`. */
export function offerUndo(text: string, back: () => Promise<unknown>): void {
  const doing = { text, steps: [], back };
  remember(doing);
  undoToast(text, () => {
    if (!recall(doing)) return;
    back().then(() => sayToast(`Undone: ${text}`), (error: unknown) => failToast(`Not undone: ${text}`, error));
  });
}
