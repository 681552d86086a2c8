import { describe, expect, test } from "vitest";
import { applyUpdate, EMPTY, readUpdate, type ShadowDocument, type UpdateRequest } from "../src/document.ts";
import { delta, iota, type Json, type JsonObject, merge } from "../src/json.ts";

const update = (before: ShadowDocument, payload: Json, now: number) =>
  applyUpdate(before, readUpdate(payload) as UpdateRequest, now) as ShadowDocument;

describe("update", () => {
  test("versions count from 1 and every leaf has the time of its last change", () => {
    const one = update(EMPTY, { state: { desired: { a: 1, n: { x: 1, y: [1, 2] } } } }, 100);
    expect(one).toEqual({
      state: { desired: { a: 1, n: { x: 1, y: [1, 2] } }, reported: {} },
      metadata: {
        desired: { a: { timestamp: 100 }, n: { x: { timestamp: 100 }, y: { timestamp: 100 } } },
        reported: {},
      },
      version: 1,
      timestamp: 100,
    });
    const two = update(one, { state: { desired: { n: { x: 2 } }, reported: { a: 1 } } }, 200);
    expect(two).toEqual({
      state: { desired: { a: 1, n: { x: 2, y: [1, 2] } }, reported: { a: 1 } },
      metadata: {
        desired: { a: { timestamp: 100 }, n: { x: { timestamp: 200 }, y: { timestamp: 100 } } },
        reported: { a: { timestamp: 200 } },
      },
      version: 2,
      timestamp: 200,
    });
    expect(one.state.desired).toEqual({ a: 1, n: { x: 1, y: [1, 2] } });
  });

  test("null removes, a key or a whole part", () => {
    const one = update(EMPTY, { state: { desired: { a: 1, n: { x: 1, y: 2 } }, reported: { b: 1 } } }, 1);
    const two = update(one, { state: { desired: { a: null, n: { x: null } }, reported: null } }, 2);
    expect(two.state).toEqual({ desired: { n: { y: 2 } }, reported: {} });
    expect(two.metadata).toEqual({ desired: { n: { y: { timestamp: 1 } } }, reported: {} });
  });

  test("keys called timestamp and constructor are ordinary", () => {
    const one = update(EMPTY, { state: { desired: { timestamp: 1, constructor: { toString: 2 } } } }, 1);
    const two = update(one, { state: { desired: { constructor: { toString: 3 } } } }, 2);
    expect(two.metadata.desired).toEqual({
      timestamp: { timestamp: 1 },
      constructor: { toString: { timestamp: 2 } },
    });
  });

  test("a version that is not the current one is a conflict", () => {
    const one = update(EMPTY, { state: { desired: { a: 1 } }, version: 0 }, 1);
    expect(one.version).toBe(1);
    expect(update(one, { state: { desired: { a: 1 } }, version: 7 }, 1)).toMatchObject({ code: 409 });
  });
});

const deep = (levels: number): JsonObject => (levels === 0 ? {} : { a: deep(levels - 1) });
test.each<[Json | undefined, string]>([
  [undefined, "no JSON object"],
  [[], "no JSON object"],
  [{}, "state is missing"],
  [{ state: {} }, "neither desired nor reported"],
  [{ state: { wanted: {} } }, "state.wanted is neither"],
  [{ state: { desired: 1 } }, "state.desired is no object"],
  [{ state: { desired: {} }, version: "1" }, "version is no number"],
  [{ state: { desired: {} }, clientToken: 1 }, "clientToken is no text"],
  [{ state: { desired: deep(9) } }, "nested too deeply"],
  [JSON.parse('{"state": {"desired": {"a": {"__proto__": {"x": 1}}}}}') as Json, "__proto__"],
])("%j is refused", (payload, message) => {
  expect(readUpdate(payload)).toEqual({ code: 400, message: expect.stringContaining(message) });
});

test.each<[JsonObject, JsonObject, JsonObject, JsonObject]>([
  [{}, {}, {}, {}],
  [{ a: 1 }, { a: 1 }, {}, {}],
  [{ a: 1 }, { a: 2 }, { a: 1 }, { a: 1 }],
  [{ a: 1 }, {}, { a: 1 }, { a: 1 }],
  [{}, { a: 1 }, {}, { a: null }],
  [{ n: { x: 1, y: 2 } }, { n: { x: 1, y: 3 } }, { n: { y: 2 } }, { n: { x: 1, y: 2 } }],
  [{ n: { x: 1 } }, { n: { x: 1, z: 9 } }, {}, { n: { x: 1 } }],
  [{ n: { x: 1 } }, { n: 5 }, { n: { x: 1 } }, { n: { x: 1 } }],
  [{ l: [1, 2] }, { l: [1, 2] }, {}, {}],
  [{ l: [1, 2] }, { l: [2, 1] }, { l: [1, 2] }, { l: [1, 2] }],
  [{ e: {} }, {}, { e: {} }, { e: {} }],
])("desired %j, reported %j: delta %j, iota %j", (desired, reported, expectedDelta, expectedIota) => {
  expect(delta(desired, reported)).toEqual(expectedDelta);
  expect(iota(desired, reported)).toEqual(expectedIota);
  if (Object.keys(expectedDelta).length > 0) expect(delta(desired, merge(reported, expectedDelta))).toEqual({});
});
