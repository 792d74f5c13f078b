import { Button } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { keys, send } from "../api/queries";
import type { DeadLetter } from "../api/types";
import { failToast, sayToast } from "../kit/toast";

/** Offers a dead letter to its receiver again. */
export function useReplay(letter: DeadLetter) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: () => send.replay(letter.id), onSettled: () => queries.invalidateQueries({ queryKey: keys.deadLetters }) });
}

export function ReplayButton({ replay }: { replay: ReturnType<typeof useReplay> }) {
  return <Button variant="default" size="compact-xs" loading={replay.isPending} onClick={() => replay.mutate()}>Replay</Button>;
}

/** The button in a row, whose outcome is said in a note at the edge. */
export function RowReplay({ letter }: { letter: DeadLetter }) {
  const replay = useReplay(letter);
  const run = (): void => replay.mutate(undefined, {
    onSuccess: (answer) => {
      if (answer.result === "accepted") sayToast(`${letter.id} was accepted this time.`);
      else failToast(`${letter.id} was refused again`, new Error(answer.reason));
    },
    onError: (error) => failToast(`Could not replay ${letter.id}`, error),
  });
  return <Button variant="default" size="compact-xs" loading={replay.isPending} onClick={run}>Replay</Button>;
}
