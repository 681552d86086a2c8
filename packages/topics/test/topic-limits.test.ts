import { expect, test } from "vitest";
import { isTopicFilter, isTopicName, parseShared } from "../src/index.ts";

test("maxLevels counts the levels of names and filters", () => {
  expect(isTopicName("a/b", { maxLevels: 2 })).toBe(true);
  expect(isTopicName("a/b/", { maxLevels: 2 })).toBe(false);
  expect(isTopicFilter("a/#", { maxLevels: 2 })).toBe(true);
  expect(isTopicFilter("a/+/#", { maxLevels: 2 })).toBe(false);
  expect(isTopicFilter("a/+/#", {})).toBe(true);
});

test("maxLevels of a shared filter does not count $share and the group", () => {
  expect(isTopicFilter("$share/g/a/b", { maxLevels: 2 })).toBe(true);
  expect(parseShared("$share/g/a/b/c", { maxLevels: 2 })).toBe("invalid");
  expect(isTopicFilter("$share/g/a/b/c", { maxLevels: 2 })).toBe(false);
});
