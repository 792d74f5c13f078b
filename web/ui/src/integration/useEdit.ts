import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../api/client";
import { change, keys } from "../api/queries";
import type { IntegrationDetail, IntegrationEdit } from "../api/types";
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
  const conflict = error instanceof ApiError && error.status === 409;
  return {
    draft,
    dirty: began !== undefined && JSON.stringify(draft) !== JSON.stringify(editOf(base)),
    /** Somebody else saved meanwhile. */
    overtaken: began !== undefined && (conflict || integration.version !== base.version),
    error: conflict ? undefined : error,
    saving: isPending,
    set: (part: Partial<Required<IntegrationEdit>>): void => { reset(); setBegan({ base, draft: { ...draft, ...part } }); },
    save: (): void => mutate({ base, draft }),
    /** Gives the draft up. */
    discard: (): void => { reset(); setBegan(undefined); },
    /** Saves the given part of the draft over what the other person saved. */
    overwrite: (part: Partial<Required<IntegrationEdit>>): void => mutate({ base: integration, draft: { ...editOf(integration), ...part } }),
  };
}

export type Edit = ReturnType<typeof useEdit>;
