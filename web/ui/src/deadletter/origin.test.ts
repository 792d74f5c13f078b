import { expect, it } from "vitest";
import { originOf } from "./origin";

it.each([
  ["prometheus", "prometheus", undefined], ["datadog/prod", "datadog", "prod"], ["pagerduty-create-event/old", "pagerduty-create-event", "old"], ["json/", "json", undefined],
])("%s", (text, receiver, integration) => expect(originOf(text)).toEqual({ receiver, integration }));
