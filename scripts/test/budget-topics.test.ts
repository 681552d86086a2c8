// What is kept of topics: strangers choose them, and a fleet has a million of them.
import { expect, test } from "vitest";
import { topicMemory } from "../../tools/bench/budget/measure.mjs";

test("topics that come once leave next to nothing behind, those that come again at most 350 bytes each", async () => {
  const { unique, perKnown } = await topicMemory();
  // 300,000 of them. Measured: 50 kB.
  expect(unique).toBeLessThan(500_000);
  // Measured: 227 with a name of 41 bytes: the topic, its bytes, and its place in the table, which is half empty.
  expect(perKnown).toBeGreaterThan(50);
  expect(perKnown).toBeLessThanOrEqual(350);
}, 60_000);
