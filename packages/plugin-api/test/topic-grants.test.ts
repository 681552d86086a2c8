import { expect, test } from "vitest";
import { decideByGrants, type TopicGrants } from "../src/grants/index.ts";

const grants: TopicGrants = { publish: ["a/+", "b"], subscribe: ["c/#", "a/#/b", "$share/g/x"], receive: [] };

test.each([
  ["publish", "a/x", "t.publish[0]"],
  ["publish", "b", "t.publish[1]"],
  ["publish", "a/x/y", undefined],
  ["subscribe", "c/+", "t.subscribe[0]"],
  ["subscribe", "$share/g/c/#", "t.subscribe[0]"],
  ["subscribe", "$share/g", undefined],
  ["subscribe", "#", undefined],
  ["subscribe", "x", undefined],
  ["subscribe", "a/b/b", undefined],
  ["receive", "a", undefined],
] as const)("%s %s: %s", (action, topic, rule) => {
  const verdict = decideByGrants(grants, action, topic, "t");
  expect(verdict).toEqual(
    rule === undefined ? { reasonCode: 0x87, rule: `nothing in t.${action} covers it` } : { reasonCode: 0, rule },
  );
});

test("an action that nothing is said about is refused", () => {
  expect(decideByGrants({}, "receive", "a", "t").reasonCode).toBe(0x87);
});
