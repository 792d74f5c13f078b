import { useDeferredValue, useMemo } from "react";
import type { Alert } from "../api/types";
import { alertComparer } from "./filter";

/** The alerts in the order asked for; without one, as they came. Many take a moment to sort: the mark of the order comes first. */
export function useSorted(alerts: readonly Alert[], sort: string | undefined): readonly Alert[] {
  const wanted = useDeferredValue(sort);
  return useMemo(() => (wanted ? [...alerts].sort(alertComparer(wanted)) : alerts), [alerts, wanted]);
}
