import { describe, expect, it } from "vitest";
import type { Delivery } from "../api/types";
import { parseFilter } from "../kit/filter";
import { deliveryKeys, deliveryMatches, toDeliveryParameters } from "./filter";

const delivery: Delivery = { id: "N1", at: "2026-11-24T23:00:00Z", key: "k", receiver: "team-pay", integration: "webhook[0]", incident: "INC-3", why: "first", alertCount: 4, state: "failed", attempts: 2, reason: "connection refused" };
const read = (text: string) => parseFilter(text, deliveryKeys);

describe("the filter of deliveries", () => {
  it.each([["", true], ["state:failed", true], ["state:sent,failed", true], ["state:sent", false], ["receiver:team-pay refused", true], ["receiver:other", false], ["incident:INC-9", true], ["incident:INC-9,INC-8", false], ["timeout", false]])("%s", (text, want) => expect(deliveryMatches(delivery, read(text))).toBe(want));

  it("becomes the API's parameters where it can", () => {
    expect(toDeliveryParameters(read("state:failed receiver:a incident:INC-3 x"))).toEqual({ state: "failed", receiver: "a", incident: "INC-3" });
    expect(toDeliveryParameters(read("state:failed,sent receiver:a,b"))).toEqual({});
    expect(toDeliveryParameters(read("state:nonsense"))).toEqual({});
  });
});
