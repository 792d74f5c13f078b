import { expect, test } from "vitest";
import { markdownOf } from "./markdown";

test("facts become a list, without what is empty and without markup of their own", () => {
  expect(markdownOf("Disk *full*", "https://f.example/alerts/A1", [["severity", "critical"], ["note", ""], ["label a|b", "<b>x</b>\ny"]]))
    .toBe("## [Disk \\*full\\*](https://f.example/alerts/A1)\n\n- severity: critical\n- label a\\|b: \\<b\\>x\\</b\\> y\n");
});
