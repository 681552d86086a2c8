// Names as bytes: the walk over bytes against the plain rules, and what a caller may keep of what it finds.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type StoredFilter, SubscriptionTree } from "../src/index.ts";
import { matchPrefix } from "../src/topic-match.ts";
import { byteString, textOf, writeBytes } from "../src/tree/byte-string.ts";
import { levelHash, levelHashOfBytes } from "../src/tree/level.ts";
import { matchBytes } from "../src/tree/match-bytes.ts";
import { anyFilter, anyTopic, naiveMatches } from "./naive.ts";
import { utf8 } from "./utf8.ts";

/** The bytes of `text` with others around them. */
function bytesIn(text: string): { bytes: Uint8Array; start: number; end: number } {
  const own = utf8(text);
  const bytes = new Uint8Array(own.length + 7).fill(0x2f);
  bytes.set(own, 3);
  return { bytes, start: 3, end: 3 + own.length };
}

test("a byte string has the text's UTF-8, one character for each byte, and gives the text back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const bytes = byteString(text);
      expect(textOf(bytes)).toBe(text);
      expect([...bytes].map((unit) => unit.charCodeAt(0))).toEqual([...utf8(text)]);
      const target = new Uint8Array(text.length * 3);
      expect(target.subarray(0, writeBytes(text, target))).toEqual(utf8(text));
    }),
  );
});

test("lone surrogates come back from a byte string as they were", () => {
  const unit = fc.integer({ min: 0xd7fe, max: 0xe001 }).map((code) => String.fromCharCode(code));
  fc.assert(fc.property(fc.string({ unit }), (text) => textOf(byteString(text)) === text));
});

test("a level has the same hash as part of a byte string and as bytes", () => {
  fc.assert(
    fc.property(anyTopic, (topic) => {
      const { bytes, start, end } = bytesIn(topic);
      const text = byteString(topic);
      for (let at = 0; at <= text.length; at++) {
        expect(levelHashOfBytes(bytes, start + at, end)).toBe(levelHash(text, at));
      }
    }),
  );
});

test("matches pieces of filters with bytes as with text", () => {
  fc.assert(
    fc.property(anyFilter, anyTopic, (filter, topic) => {
      const { bytes, start, end } = bytesIn(topic);
      const text = byteString(topic);
      const levels = byteString(filter);
      for (let at = 0; at <= text.length; at++) {
        if (at > 0 && text[at - 1] !== "/") continue;
        const expected = matchPrefix(levels, text, at);
        expect(matchBytes(levels, bytes, start + at, end)).toBe(expected < 0 ? expected : start + expected);
      }
    }),
    { numRuns: 500 },
  );
});

test("finds the filters that match a name in UTF-8, wherever it lies", () => {
  const anyChange = fc.record({ filter: anyFilter, isDelete: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), fc.array(anyTopic, { maxLength: 8 }), (changes, topics) => {
      const tree = new SubscriptionTree<string, string>();
      const model = new Set<string>();
      for (const { filter, isDelete } of changes) {
        if (isDelete) tree.delete(filter, "k");
        else tree.set(filter, "k", filter);
        if (isDelete) model.delete(filter);
        else model.add(filter);
      }
      for (const topic of topics) {
        const { bytes, start, end } = bytesIn(topic);
        const into: (StoredFilter | undefined)[] = ["kept" as unknown as StoredFilter];
        const count = tree.find(bytes, start, end, into, 1);
        const found: string[] = [];
        for (const filter of into.slice(1, count)) tree.visit(filter as StoredFilter, (value) => found.push(value));
        expect(into[0]).toBe("kept");
        expect(found.sort()).toEqual([...model].filter((filter) => naiveMatches(filter, topic)).sort());
      }
    }),
    { numRuns: 300 },
  );
});

test("the versions of what is found say all that `match` would visit", () => {
  const anyKey = fc.constantFrom("k1", "k2");
  const value = fc.option(fc.nat(3), { nil: undefined });
  const anyChange = fc.record({ filter: anyFilter, key: anyKey, value, touch: fc.boolean() });
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), anyTopic, (changes, topic) => {
      const tree = new SubscriptionTree<string, number>();
      const { bytes, start, end } = bytesIn(topic);
      /** What was visited when the filters found had these versions. */
      const seen = new Map<string, string>();
      const touched = new Map<string, number>();
      for (const { filter, key, value, touch } of changes) {
        if (touch) {
          if (tree.get(filter, key) !== undefined) touched.set(filter, (touched.get(filter) ?? 0) + 1);
          tree.touch(filter);
        } else if (value === undefined) tree.delete(filter, key);
        else tree.set(filter, key, value);
        const into: StoredFilter[] = [];
        const count = tree.find(bytes, start, end, into);
        const versions = into.slice(0, count).map(({ version }) => version);
        expect(new Set(versions).size).toBe(versions.length);
        const visited: string[] = [];
        tree.match(topic, (found, by) => visited.push(`${by}=${found}`));
        const relevant = [...touched].filter(([filter]) => naiveMatches(filter, topic));
        const expected = JSON.stringify([visited.sort(), relevant]);
        const known = seen.get(versions.join());
        if (known !== undefined) expect(known).toBe(expected);
        seen.set(versions.join(), expected);
      }
    }),
    { numRuns: 300 },
  );
});

test("the same filters are found in the same order, whichever name they are found for", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(anyFilter, { maxLength: 20 }),
      fc.array(anyTopic, { maxLength: 10 }),
      (filters, topics) => {
        const tree = new SubscriptionTree<string, number>();
        for (const filter of filters) tree.set(filter, "k", 1);
        const orders = new Map<string, string>();
        for (const topic of topics) {
          const { bytes, start, end } = bytesIn(topic);
          const into: StoredFilter[] = [];
          const versions = into.slice(0, tree.find(bytes, start, end, into)).map(({ version }) => version);
          const set = [...versions].sort((a, b) => a - b).join();
          const order = versions.join();
          expect(orders.get(set) ?? order).toBe(order);
          orders.set(set, order);
        }
      },
    ),
  );
});
