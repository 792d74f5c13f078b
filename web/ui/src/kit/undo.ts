// The steps that can be undone by one press of `u`, newest last. Only what was done in this tab.
export interface Doing {
  text: string;
  /** The steps of incidents to undo, or else what takes it back. */
  steps: string[];
  back?: () => Promise<unknown>;
}

const done: Doing[] = [];

export function remember(doing: Doing): void {
  done.push(doing);
  if (done.length > 20) done.shift();
}

/** Takes the newest, or the given one, off the list. */
export function recall(doing?: Doing): Doing | undefined {
  if (!doing) return done.pop();
  const at = done.indexOf(doing);
  if (at < 0) return undefined;
  done.splice(at, 1);
  return doing;
}
