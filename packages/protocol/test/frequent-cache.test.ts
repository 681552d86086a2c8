import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FrequentCache } from "../src/index.ts";

const UNLIMITED = { weight: 1_000_000, largest: 1_000_000 };

/** Asks for an entry, and keeps one if it may. @returns was it there? */
function ask(cache: FrequentCache<number>, hash: number, weight = 1): boolean {
  const known = cache.get(hash);
  if (known !== undefined) {
    expect(known).toBe(hash);
    return true;
  }
  if (cache.admits(hash, weight)) cache.add(hash, weight, hash);
  return false;
}

/** The share of `hashes` that is there. */
function share(cache: FrequentCache<number>, hashes: readonly number[]): number {
  return hashes.filter((hash) => cache.get(hash) !== undefined).length / hashes.length;
}

/** Hashes that nobody chose. */
function hashes(count: number, seed = 1): number[] {
  const random = (index: number): number => {
    const value = Math.imul(index ^ (index >>> 16), 0x45d9_f3b);
    return Math.imul(value ^ (value >>> 15), 0x2c1b_3c6d) | 0;
  };
  return Array.from({ length: count }, (_, index) => random(index + seed * 1_000_003));
}

test("what is found was added for that hash; size and weight are those of what is there, and within the limits", () => {
  const anyHash = fc.oneof(
    fc.integer({ min: -20, max: 20 }),
    fc.integer().map((number) => number & ~0xff),
  );
  const step = fc.record({ hash: anyHash, weight: fc.integer({ min: 1, max: 12 }), clear: fc.constant(false) });
  const steps = fc.array(fc.oneof({ weight: 60, arbitrary: step }, fc.constant({ hash: 0, weight: 1, clear: true })), {
    maxLength: 2_000,
    size: "max",
  });
  fc.assert(
    fc.property(steps, fc.constantFrom(8, 16, 1_024), fc.integer({ min: 10, max: 80 }), (all, entries, weight) => {
      const cache = new FrequentCache<{ hash: number; weight: number }>({ entries, weight, largest: 10 });
      const added = new Map<number, { hash: number; weight: number }>();
      for (const one of all) {
        if (one.clear) {
          cache.clear();
          added.clear();
        }
        const known = cache.get(one.hash);
        if (known !== undefined) expect(known).toBe(added.get(one.hash));
        else if (cache.admits(one.hash, one.weight)) {
          expect(one.weight).toBeLessThanOrEqual(10);
          const entry = { hash: one.hash, weight: one.weight };
          cache.add(one.hash, one.weight, entry);
          added.set(one.hash, entry);
          expect(cache.get(one.hash)).toBe(entry);
        }
        expect(cache.size).toBeLessThanOrEqual(entries);
        expect(cache.weight).toBeLessThanOrEqual(weight);
      }
      const there = [...added.values()].filter(({ hash }) => cache.get(hash) !== undefined);
      expect(cache.size).toBe(there.length);
      expect(cache.weight).toBe(there.reduce((sum, entry) => sum + entry.weight, 0));
    }),
    { numRuns: 60 },
  );
});

describe("what comes again is kept", () => {
  test.each([100, 1_000, 8_000])("%i that are asked for in turn are nearly all there after a few rounds", (count) => {
    const cache = new FrequentCache<number>({ entries: 16_384, ...UNLIMITED });
    const wanted = hashes(count);
    for (let round = 0; round < 8; round++) for (const hash of wanted) ask(cache, hash);
    expect(share(cache, wanted)).toBeGreaterThan(0.9);
  });

  test("those that never come twice do not get in, and leave those that come again where they are", () => {
    const cache = new FrequentCache<number>({ entries: 4_096, ...UNLIMITED });
    const wanted = hashes(500);
    for (let round = 0; round < 6; round++) for (const hash of wanted) ask(cache, hash);
    const before = share(cache, wanted);
    let admitted = 0;
    const strangers = hashes(200_000, 7);
    for (const [index, stranger] of strangers.entries()) {
      const size = cache.size;
      if (cache.get(stranger) === undefined && cache.admits(stranger, 1)) {
        cache.add(stranger, 1, stranger);
        if (cache.size === size) admitted++;
      }
      if (index % 10 === 0) ask(cache, wanted[(index / 10) % wanted.length] as number);
    }
    expect(share(cache, wanted)).toBeGreaterThanOrEqual(before);
    expect(admitted).toBe(0);
  });

  test("others that come again take the place of those that came again once", () => {
    const cache = new FrequentCache<number>({ entries: 1_024, ...UNLIMITED });
    const [first, second] = [hashes(1_000), hashes(1_000, 9)];
    for (let round = 0; round < 30; round++) for (const hash of first) ask(cache, hash);
    for (let round = 0; round < 30; round++) for (const hash of second) ask(cache, hash);
    expect(share(cache, second)).toBeGreaterThan(0.6);
  });

  test("hashes that were chosen to lie in the same places take them from each other only", () => {
    const cache = new FrequentCache<number>({ entries: 1_024, ...UNLIMITED });
    const wanted = hashes(100).map((hash) => hash | 1);
    for (let round = 0; round < 6; round++) for (const hash of wanted) ask(cache, hash);
    const before = share(cache, wanted);
    // Their lowest bits are all 0: one set.
    const chosen = Array.from({ length: 5_000 }, (_, index) => (index + 1) << 12);
    for (let round = 0; round < 3; round++) for (const hash of chosen) ask(cache, hash);
    expect(chosen.filter((hash) => cache.get(hash) !== undefined).length).toBeLessThanOrEqual(4);
    expect(share(cache, wanted)).toBe(before);
  });
});

test("entries are given up one at a time when all together weigh too much, those that are asked for last", () => {
  const cache = new FrequentCache<number>({ entries: 1_024, weight: 1_000, largest: 100 });
  const small = hashes(50);
  for (let round = 0; round < 5; round++) for (const hash of small) ask(cache, hash, 10);
  expect([cache.size, cache.weight]).toEqual([50, 500]);
  // Five find room, the others have to come again.
  const large = hashes(7, 5);
  for (const hash of large) ask(cache, hash, 100);
  expect([cache.weight, share(cache, small)]).toEqual([1_000, 1]);
  const [asked, forgotten] = [small.slice(0, 25), small.slice(25)];
  for (let round = 0; round < 20; round++) {
    for (const hash of large) ask(cache, hash, 100);
    for (const hash of asked) ask(cache, hash, 10);
  }
  expect([share(cache, large), share(cache, asked), share(cache, forgotten)]).toEqual([1, 1, 0.2]);
  expect(cache.weight).toBeLessThanOrEqual(1_000);
  expect(cache.weight).toBeGreaterThan(800);
  expect(cache.admits(12_345, 101)).toBe(false);
});
