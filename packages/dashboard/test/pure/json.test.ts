// JSON of publishers: what is read, paths, numbers over time, differences; and payloads as people read them.
import { describe, expect, test } from "vitest";
import { type Change, diffOf } from "../../web/pure/json/diff.ts";
import { jsonOf, numbersIn, pathText, valueAt } from "../../web/pure/json/json.ts";
import type { Message } from "../../web/pure/messages/message.ts";
import { jsonIn, payloadView, preview } from "../../web/pure/messages/payload.ts";
import { numberPaths, valuesOf } from "../../web/pure/messages/values.ts";

const payload = (text: string, more: object = {}) => ({ encoding: "utf8" as const, payload: text, ...more });
const message = (text: string, at = 0): Message => ({
  ...payload(text),
  at,
  topic: "t",
  qos: 0,
  retain: false,
  publisher: "",
  bytes: text.length,
});

describe("JSON", () => {
  test("that is nested too deep is text: what walks it would have no room", () => {
    expect(jsonOf(`${"[".repeat(60)}1${"]".repeat(60)}`)).toBeDefined();
    expect(jsonOf(`${"[".repeat(30_000)}1${"]".repeat(30_000)}`)).toBeUndefined();
    expect(jsonOf("{")).toBeUndefined();
  });

  test("has paths to its numbers", () => {
    const value = jsonOf('{"a":{"b c":[1,"x",{"d":2}]},"t":-1.5,"n":null}');
    const paths = numbersIn(value);
    expect(paths.map(pathText)).toEqual(['a["b c"][0]', 'a["b c"][2].d', "t"]);
    expect(paths.map((path) => valueAt(value, path))).toEqual([1, 2, -1.5]);
    expect(numbersIn(value, 2)).toHaveLength(2);
    expect(valueAt(value, ["toString"])).toBeUndefined();
    expect(valueAt(value, ["n", "x"])).toBeUndefined();
    expect(pathText([])).toBe("");
  });
});

describe("the difference of two values", () => {
  const diff = (before: string, after: string): readonly Change[] =>
    diffOf(jsonOf(before) ?? null, jsonOf(after) ?? null).changes;

  test("is what was added, removed and changed, by path", () => {
    expect(diff('{"a":1,"b":{"c":[1,2]},"gone":null}', '{"a":1,"b":{"c":[1,3,4]},"new":{"x":1}}')).toEqual([
      { kind: "changed", path: "b.c[1]", before: 2, after: 3 },
      { kind: "added", path: "b.c[2]", after: 4 },
      { kind: "removed", path: "gone", before: null },
      { kind: "added", path: "new", after: { x: 1 } },
    ]);
  });

  test("is nothing for the same, and all of it where the kind is another", () => {
    expect(diff('{"a":[1,{"b":null}]}', '{"a":[1,{"b":null}]}')).toEqual([]);
    expect(diff("[1]", '{"0":1}')).toEqual([{ kind: "changed", path: "", before: [1], after: { 0: 1 } }]);
    expect(diff("1", "2")).toEqual([{ kind: "changed", path: "", before: 1, after: 2 }]);
  });

  test("is bounded", () => {
    const [before, after] = [0, 1].map((value) => Array.from({ length: 500 }, () => value));
    expect(diffOf(before ?? [], after ?? [], 10)).toMatchObject({ more: true, changes: { length: 10 } });
    expect(
      diffOf(
        [],
        Array.from({ length: 500 }, () => 1),
        10,
      ),
    ).toMatchObject({ more: true, changes: { length: 10 } });
    expect(diffOf([0], [1], 10).more).toBe(false);
  });
});

describe("payloads", () => {
  test("are shown as JSON, as text or as bytes", () => {
    expect(payloadView(payload('{"a":1}'))).toEqual({ kind: "JSON", text: '{\n  "a": 1\n}', isCut: false });
    expect(payloadView(payload('{"a":1}', { truncated: true }))).toEqual({
      kind: "text",
      text: '{"a":1}',
      isCut: true,
    });
    expect(payloadView(payload("21.5"))).toEqual({ kind: "text", text: "21.5", isCut: false });
    expect(payloadView(payload("null"))).toMatchObject({ kind: "text", text: "null" });
    expect(payloadView(payload(""))).toEqual({ kind: "empty", text: "", isCut: false });
    const bytes = payloadView({ encoding: "base64", payload: btoa("\u0000\u00ffhello, world") });
    expect(bytes.kind).toBe("bytes");
    expect(bytes.text.split("\n").map((row) => row.trimEnd())).toEqual([
      "0000  00 ff 68 65 6c 6c 6f 2c  ··hello,",
      "0008  20 77 6f 72 6c 64         world",
    ]);
  });

  test("are cut where they are long", () => {
    const text = payloadView(payload("x".repeat(1_000_000)));
    expect([text.text.length, text.isCut]).toEqual([100_000, true]);
    const json = payloadView(payload(JSON.stringify(Array.from({ length: 60_000 }, () => 0))));
    expect([json.kind, json.text.length, json.isCut]).toEqual(["JSON", 100_000, true]);
    const bytes = (count: number) => payloadView({ encoding: "base64", payload: btoa("\u0000".repeat(count)) });
    expect([bytes(4_096), bytes(5_000)].map(({ text: rows, isCut }) => [rows.split("\n").length, isCut])).toEqual([
      [512, false],
      [512, true],
    ]);
  });

  test("are a number where the text is one", () => {
    expect(["21.5", " 007 ", "-1e3"].map((text) => jsonIn(payload(text)))).toEqual([21.5, 7, -1000]);
    expect(["", "1.2.3", "on", "1 2"].map((text) => jsonIn(payload(text)))).toEqual(Array(4).fill(undefined));
  });

  test("have a preview of one line without characters that cannot be seen", () => {
    expect(preview(payload("a\n  b\u202e\u0000"))).toBe("a b\ufffd\ufffd");
    expect(preview(payload("x".repeat(1_000)))).toHaveLength(80);
    expect(preview({ encoding: "base64", payload: "/wA=" })).toBe("ff 00");
  });

  test("give numbers over time, of the payload or of a path, with gaps where there is none", () => {
    const history = ['{"t":1,"x":"a"}', "broken", '{"t":3,"new":{"v":9}}'].map(message);
    expect([...numberPaths(history).keys()]).toEqual(["t", "new.v"]);
    expect(valuesOf(history, ["t"])).toEqual({ times: [0, 1, 2], values: [1, null, 3] });
    const sameTime = valuesOf([message("1", 7), message("2", 7), message("3", 6)], []);
    expect(sameTime).toEqual({ times: [7, 7.001, expect.closeTo(7.002)], values: [1, 2, 3] });
    expect([...numberPaths([message("5")]).keys()]).toEqual([""]);
  });
});
