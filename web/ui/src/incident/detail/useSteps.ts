// The steps of an incident: the newest come with it, earlier ones when somebody asks.
import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { earlierStepsQuery } from "../../api/queries";
import type { IncidentDetail } from "../../api/types";
import { joinSteps } from "./steps";

export interface Earlier {
  /** Loads the next page of earlier steps; undefined when all are there. */
  load: (() => void) | undefined;
  busy: boolean;
}

export function useSteps(incident: IncidentDetail) {
  // The place from which earlier steps are read stays while newer ones push the window on; those between are kept from the
  // windows before.
  const [from, setFrom] = useState<string>();
  const [kept, setKept] = useState(incident.timeline);
  const joined = useMemo(() => (from === undefined ? incident.timeline : joinSteps(kept, incident.timeline)), [from, kept, incident.timeline]);
  if (from !== undefined && joined.length > kept.length) setKept(joined);
  const query = useInfiniteQuery({ ...earlierStepsQuery(incident.id, from ?? ""), enabled: from !== undefined });
  const steps = useMemo(() => joinSteps((query.data?.pages ?? []).toReversed().flatMap((p) => p.items), joined), [query.data, joined]);
  const start = (): void => { setKept(incident.timeline); setFrom(incident.timelineNext); };
  const fetchNext = (): void => void query.fetchNextPage();
  const load = from === undefined ? (incident.timelineNext ? start : undefined) : (query.hasNextPage ? fetchNext : undefined);
  return { steps, earlier: { load, busy: from !== undefined && query.isFetching } satisfies Earlier };
}
