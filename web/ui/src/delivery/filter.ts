// The filter of deliveries: the API takes one state and one receiver, the rest is judged here.
import type { DeliveryFilter } from "../api/queries";
import { deliveryStates, type Delivery } from "../api/types";
import type { Filter } from "../kit/filter";

export const deliveryKeys = ["state", "receiver", "incident"] as const;

export function toDeliveryParameters(filter: Filter): DeliveryFilter {
  const { state = [], receiver = [], incident = [] } = filter.terms;
  const [only] = deliveryStates.filter((s) => state.includes(s));
  return {
    ...(state.length === 1 && only ? { state: only } : {}),
    ...(receiver.length === 1 ? { receiver: receiver[0] } : {}),
    ...(incident.length === 1 ? { incident: incident[0] } : {}),
  };
}

export function deliveryMatches(delivery: Delivery, filter: Filter): boolean {
  const { state, receiver, incident } = filter.terms;
  if (state && !state.includes(delivery.state)) return false;
  if (receiver && !receiver.includes(delivery.receiver)) return false;
  // One incident is the API's to judge: it knows groups over several.
  if (incident && incident.length > 1 && !incident.includes(delivery.incident)) return false;
  const hay = `${delivery.id} ${delivery.receiver} ${delivery.integration} ${delivery.incident} ${delivery.why} ${delivery.reason}`.toLowerCase();
  return filter.text.toLowerCase().split(" ").every((word) => hay.includes(word));
}
