import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../api/client";
import { change, keys } from "../api/queries";
import type { Integration, IntegrationDetail, IntegrationEdit } from "../api/types";
import { offerUndo } from "../kit/offerUndo";

const editOf = ({ resolveTimeout, mapper, forward, observe }: IntegrationDetail): Required<IntegrationEdit> => ({ resolveTimeout, mapper, forward, observe });

/**
 * A draft of what people set on an integration. It follows the server until it is changed; from then on it remembers the
 * version that it began with, and the server refuses it when somebody else was faster.
 */
export function useEdit(integration: IntegrationDetail) {
  const queries = useQueryClient();
  const { name } = integration;
  const [began, setBegan] = useState<{ base: IntegrationDetail; draft: Required<IntegrationEdit> }>();
  const settle = (saved: IntegrationEdit & { version: number }): void => {
    const { resolveTimeout, mapper, forward, observe, version } = saved;
    queries.setQueryData<IntegrationDetail>(keys.integration(name), (old) => old && { ...old, ...editOf({ ...old, ...{ resolveTimeout, mapper, forward, observe } } as IntegrationDetail), version });
  };
  const { mutate, isPending, error, reset } = useMutation({
    mutationFn: ({ base, draft }: { base: IntegrationDetail; draft: Required<IntegrationEdit> }) => change.update(name, base.version, draft),
    onSuccess: (saved, { base }) => {
      settle(saved);
      setBegan(undefined);
      offerUndo(`Saved ${name}`, async () => settle(await change.update(name, saved.version, editOf(base))));
    },
  });
  const draft = began?.draft ?? editOf(integration);
  const base = began?.base ?? integration;
  const refused = error instanceof ApiError && error.status === 412 ? (error.present as Integration) : undefined;
  const newest = refused && refused.version > integration.version ? { ...integration, ...refused } : integration;
  return {
    draft,
    dirty: began !== undefined && JSON.stringify(draft) !== JSON.stringify(editOf(base)),
    /** What somebody else saved meanwhile. */
    theirs: began !== undefined && newest.version !== base.version ? editOf(newest) : undefined,
    error: refused ? undefined : error,
    saving: isPending,
    set: (part: Partial<Required<IntegrationEdit>>): void => { reset(); setBegan({ base, draft: { ...draft, ...part } }); },
    save: (): void => mutate({ base, draft }),
    /** Gives the draft up. */
    discard: (): void => { reset(); setBegan(undefined); if (newest !== integration) settle(newest); },
    /** Saves the given part of the draft over what the other person saved. */
    overwrite: (part: Partial<Required<IntegrationEdit>>): void => mutate({ base: newest, draft: { ...editOf(newest), ...part } }),
  };
}

export type Edit = ReturnType<typeof useEdit>;
