import { describe, expect, test } from "vitest";
import { isTopicFilter, parseShared } from "../src/index.ts";
import { section47 } from "./section-4-7.ts";

describe("MQTT 5.0", () => {
  section47({
    wildcardsOnlyInFilters: "MQTT-4.7.0-1",
    hashPlacement: "MQTT-4.7.1-1",
    plusPlacement: "MQTT-4.7.1-2",
    dollar: "MQTT-4.7.2-1",
    notEmpty: "MQTT-4.7.3-1",
    noNul: "MQTT-4.7.3-2",
    noNormalization: "MQTT-4.7.3-4",
  });

  test("[MQTT-4.8.2-1] a shared filter has a ShareName of one character or more", () => {
    expectInvalid(["$share//t", "$share/", "$share//", "$share//#"]);
    expectShared([
      ["$share/g/t", "g", "t"],
      ["$share/ä b/t/u", "ä b", "t/u"],
      ["$share/$share/t", "$share", "t"],
    ]);
  });

  test("[MQTT-4.8.2-2] a ShareName has no wildcard and is followed by a topic filter", () => {
    expectInvalid(["$share/g", "$share/g/", "$share/+/t", "$share/#/t", "$share/a#/t", "$share/a+b/t", "$share/g\0/t"]);
    expectInvalid([
      "$share/g/a#",
      "$share/g/#/a",
      "$share/g/a+",
      "$share/g/a\0",
      "$share/#",
      "$share/+",
      "$share/g/$share/h/t",
    ]);
    expectShared([
      ["$share/g/#", "g", "#"],
      ["$share/g/+", "g", "+"],
      ["$share/g//", "g", "/"],
      ["$share/g//a", "g", "/a"],
      ["$share/g/$SYS/#", "g", "$SYS/#"],
      ["$share/g/+/a/#", "g", "+/a/#"],
    ]);
  });

  test("a filter that does not begin with $share/ is not shared", () => {
    for (const filter of ["$share", "$shared/g/t", "$SHARE/g/t", "/$share/g/t", "a", "share/g/t", "+/g/t"]) {
      expect([filter, parseShared(filter), isTopicFilter(filter)]).toEqual([filter, undefined, true]);
    }
    expect(parseShared("a#")).toBeUndefined();
    expect(parseShared("")).toBeUndefined();
  });
});

function expectInvalid(filters: readonly string[]): void {
  for (const filter of filters) {
    expect([filter, parseShared(filter)]).toEqual([filter, "invalid"]);
    expect([filter, isTopicFilter(filter)]).toEqual([filter, false]);
  }
}

function expectShared(rows: readonly (readonly [string, string, string])[]): void {
  for (const [text, group, filter] of rows) {
    expect([text, parseShared(text)]).toEqual([text, { group, filter }]);
    expect([text, isTopicFilter(text)]).toEqual([text, true]);
  }
}
