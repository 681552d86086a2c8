// What a person writes as a payload, and lists of what comes.
import { describe, expect, test } from "vitest";
import { payloadOf, userPropertiesOf } from "../../web/pure/messages/payload-input.ts";
import { Recent } from "../../web/pure/messages/recent.ts";

describe("a payload that a person writes", () => {
  test("is text as it is, JSON if it is JSON, or bytes", () => {
    expect(payloadOf(" grüß\n", "text")).toEqual({ payload: " grüß\n", encoding: "utf8" });
    expect(payloadOf('{"a": 1}', "json")).toEqual({ payload: '{"a": 1}', encoding: "utf8" });
    expect(payloadOf("0x00 FF,1a:2B\n", "hex")).toEqual({ payload: "AP8aKw==", encoding: "base64" });
    expect(payloadOf("", "hex")).toEqual({ payload: "", encoding: "base64" });
  });

  test("that is not what it should be is an error that says why", () => {
    expect(() => payloadOf("{", "json")).toThrow(/^The payload is not JSON: /);
    expect(() => payloadOf("0g", "hex")).toThrow("“g” is no hexadecimal digit");
    expect(() => payloadOf("001", "hex")).toThrow("two digits make a byte");
  });

  test("has user properties, one in a line, in their order", () => {
    expect(userPropertiesOf("a=1\n\n b = x=y \na=2")).toEqual([
      ["a", "1"],
      ["b", "x=y"],
      ["a", "2"],
    ]);
    expect(() => userPropertiesOf("a=1\nb")).toThrow("“b” is not name=value");
  });
});

test("the last entries are bounded in number and in weight, and keep their numbers", () => {
  const recent = new Recent<string>({ entries: 3, weight: 100 });
  for (const item of ["a", "b", "c", "d"]) recent.add(item, 10);
  expect(recent.entries.map(({ number, item }) => [number, item])).toEqual([
    [2, "b"],
    [3, "c"],
    [4, "d"],
  ]);
  recent.add("heavy", 90);
  expect(recent.entries.map(({ item }) => item)).toEqual(["d", "heavy"]);
  recent.add("heavier", 500);
  expect(recent.entries.map(({ item }) => item)).toEqual(["heavier"]);
  expect(recent.total).toBe(6);
});
