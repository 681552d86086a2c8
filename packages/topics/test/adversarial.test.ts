import { expect, test } from "vitest";
import {
  filterContains,
  filtersOverlap,
  isTopicFilter,
  SubscriptionTree,
  TopicTree,
  topicMatches,
} from "../src/index.ts";

const DEEPEST = 65_534;

function visits(tree: SubscriptionTree<string, number>, topic: string): number {
  let count = 0;
  tree.match(topic, () => count++);
  return count;
}

test("topics and filters as deep as 65,535 bytes allow are stored, found, walked and deleted", () => {
  const slashes = "/".repeat(DEEPEST);
  const pluses = `${"+/".repeat(DEEPEST / 2)}+`;
  const open = `${"/".repeat(DEEPEST)}#`;
  const tree = new SubscriptionTree<string, number>();
  for (const filter of [slashes, pluses, open, `${slashes}x`, `${"/".repeat(DEEPEST / 2)}x`]) tree.set(filter, "k", 1);
  expect(visits(tree, slashes)).toBe(2);
  expect(visits(tree, "/".repeat(DEEPEST / 2))).toBe(1);
  expect([...tree.filters()].length).toBe(5);
  for (const filter of tree.filters()) expect(tree.delete(filter, "k")).toBe(1);
  expect(tree.size).toBe(0);
  expect(topicMatches(pluses, slashes)).toBe(false);
  expect(topicMatches(open, slashes)).toBe(true);
  expect([filterContains(open, slashes), filtersOverlap(pluses, slashes)]).toEqual([true, false]);
});

test("a chain of thousands of nested filters and topics does not overflow the stack", () => {
  const count = 12_000; // a recursive walk overflows Node's default stack earlier: an empty function does at about 14,000
  const deepest = `${"a/".repeat(count - 1)}a`;
  const pluses = `${"+/".repeat(count - 1)}+`;
  // Every hundredth level first and then what is between, each from the end: the chain gets long without long walks.
  const ends = Array.from({ length: count }, (_, i) => 2 * (count - i) - 1);
  const order = [...ends.filter((_, i) => i % 100 === 0), ...ends.filter((_, i) => i % 100 !== 0)];
  const subscriptions = new SubscriptionTree<string, number>();
  const topics = new TopicTree<number>();
  for (const end of order) {
    subscriptions.set(deepest.slice(0, end), "k", end);
    subscriptions.set(pluses.slice(0, end), "k", end);
    topics.set(deepest.slice(0, end), end);
  }
  expect(visits(subscriptions, deepest)).toBe(2);
  expect([...subscriptions.filters()].length).toBe(2 * count);
  expect([...topics.matching("#")].length).toBe(count);
  expect([...topics.matching(pluses)]).toEqual([[deepest, deepest.length]]);
  expect([...topics.entries()].length).toBe(count);
  expect([subscriptions.delete(deepest, "k"), topics.delete(deepest)]).toEqual([deepest.length, deepest.length]);
  expect([subscriptions.size, topics.size]).toEqual([2 * count - 1, count - 1]);
}, 120_000); // over 400 million characters are looked at: seconds, more on a busy machine

test("matching looks at no more nodes than are stored, whatever the mixture of wildcards", () => {
  // Every mixture of "a" and "+" over 12 levels, all ending in what the topic does not have: 4,096 filters, no match.
  const tree = new SubscriptionTree<string, number>();
  const levels = 12;
  for (let bits = 0; bits < 1 << levels; bits++) {
    const path = Array.from({ length: levels }, (_, i) => ((bits >> i) & 1 ? "+" : "a")).join("/");
    tree.set(`${path}/x`, "k", bits);
  }
  expect(visits(tree, `${"a/".repeat(levels)}y`)).toBe(0);
  expect(visits(tree, `${"a/".repeat(levels)}x`)).toBe(1 << levels);
  // One filter that a backtracking matcher would need exponential time for.
  const pattern = `${"+/".repeat(30_000)}x`;
  expect(topicMatches(pattern, `${"a/".repeat(30_000)}y`)).toBe(false);
  expect(isTopicFilter(pattern)).toBe(true);
});

test("the order of subscribing and unsubscribing leaves nothing behind", () => {
  const tree = new SubscriptionTree<string, number>();
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 2_000; i++) tree.set(`devices/${i}/${i % 7}/+/#`, `k${i % 3}`, i);
    for (let i = 0; i < 2_000; i++)
      expect(
        tree.delete(`devices/${(i * 7919) % 2_000}/${((i * 7919) % 2_000) % 7}/+/#`, `k${((i * 7919) % 2_000) % 3}`),
      ).toBeDefined();
    expect([tree.size, ...tree.filters()]).toEqual([0]);
  }
});
