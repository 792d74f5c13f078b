import { useMemo } from "react";
import type { Alert } from "../api/types";
import { alertComparer } from "./filter";

/** The alerts in the order asked for; without one, as they came. */
export function useSorted(alerts: readonly Alert[], sort: string | undefined): readonly Alert[] {
  return useMemo(() => (sort ? [...alerts].sort(alertComparer(sort)) : alerts), [alerts, sort]);
}
