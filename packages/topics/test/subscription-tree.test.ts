import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidTopicError, SubscriptionTree } from "../src/index.ts";
import { anyFilter, anyTopic, naiveMatches } from "./naive.ts";

const anyKey = fc.constantFrom("k1", "k2", "k3", "k4");
const anyChange = fc.record({ filter: anyFilter, key: anyKey, value: fc.option(fc.nat(9), { nil: undefined }) });
type Change = { filter: string; key: string; value: number | undefined };

/** A Map of pairs with the naive matcher: what the tree must behave like. A change without a value is a delete. */
class Model {
  readonly pairs: Map<string, { filter: string; key: string; value: number }> = new Map();

  apply({ filter, key, value }: Change): number | undefined {
    const id = `${key} ${filter}`;
    const previous = this.pairs.get(id)?.value;
    if (value === undefined) this.pairs.delete(id);
    else this.pairs.set(id, { filter, key, value });
    return previous;
  }

  match(topic: string): string[] {
    const found = [...this.pairs.values()].filter(({ filter }) => naiveMatches(filter, topic));
    return found.map(({ key, value }) => `${key}=${value}`).sort();
  }

  filters(): string[] {
    return [...new Set([...this.pairs.values()].map(({ filter }) => filter))].sort();
  }
}

function apply(tree: SubscriptionTree<string, number>, { filter, key, value }: Change): number | undefined {
  return value === undefined ? tree.delete(filter, key) : tree.set(filter, key, value);
}

function matchAll(tree: SubscriptionTree<string, number>, topic: string): string[] {
  const found: string[] = [];
  tree.match(topic, (value, key) => found.push(`${key}=${value}`));
  return found.sort();
}

test("behaves like a Map of pairs with a naive matcher", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), fc.array(anyTopic, { maxLength: 8 }), (changes, topics) => {
      const tree = new SubscriptionTree<string, number>();
      const model = new Model();
      for (const change of changes) {
        const before = tree.generation;
        const old = tree.get(change.filter, change.key);
        const previous = apply(tree, change);
        expect(previous).toBe(old);
        expect(previous).toBe(model.apply(change));
        expect(tree.get(change.filter, change.key)).toBe(change.value);
        expect(tree.size).toBe(model.pairs.size);
        expect(tree.generation === before).toBe(previous === change.value);
      }
      for (const topic of topics) expect(matchAll(tree, topic)).toEqual(model.match(topic));
      expect([...tree.filters()].sort()).toEqual(model.filters());
      for (const { filter, key } of [...model.pairs.values()]) tree.delete(filter, key);
      expect([tree.size, ...tree.filters()]).toEqual([0]);
    }),
    { numRuns: 400 },
  );
});

test("visitors may change the tree: what stays is visited once, what is gone is not", () => {
  const inputs = fc.tuple(fc.array(anyChange, { maxLength: 30 }), fc.array(anyChange, { maxLength: 30 }), anyTopic);
  fc.assert(
    fc.property(inputs, ([start, changes, topic]) => {
      const tree = new SubscriptionTree<string, { id: string }>();
      const live = new Map<string, { filter: string; key: string }>();
      const touched = new Set<string>();
      const change = ({ filter, key, value }: Change): void => {
        const id = `${key} ${filter}`;
        touched.add(id);
        if (value === undefined) {
          tree.delete(filter, key);
          live.delete(id);
        } else {
          tree.set(filter, key, { id });
          live.set(id, { filter, key });
        }
      };
      start.forEach(change);
      touched.clear();
      const before = [...live].filter(([, { filter }]) => naiveMatches(filter, topic)).map(([id]) => id);
      const visits: string[] = [];
      const queue = [...changes];
      tree.match(topic, ({ id }, key) => {
        expect(live.has(id)).toBe(true);
        expect(id.startsWith(`${key} `)).toBe(true);
        visits.push(id);
        for (const next of queue.splice(0, 4)) change(next);
        tree.match("a/b", () => undefined);
      });
      const untouched = before.filter((id) => !touched.has(id)).sort();
      expect(visits.filter((id) => !touched.has(id)).sort()).toEqual(untouched);
    }),
    { numRuns: 400 },
  );
});

test("filters() may be read in pieces while the tree changes", () => {
  const inputs = fc.tuple(fc.array(anyChange, { maxLength: 40 }), fc.array(anyChange, { maxLength: 40 }));
  fc.assert(
    fc.property(inputs, ([start, changes]) => {
      const tree = new SubscriptionTree<string, number>();
      for (const change of start) apply(tree, change);
      const before = [...tree.filters()];
      const changed = new Set<string>();
      const queue = [...changes];
      const seen: string[] = [];
      for (const filter of tree.filters()) {
        seen.push(filter);
        for (const change of queue.splice(0, 3)) {
          apply(tree, change);
          changed.add(change.filter);
        }
      }
      const stayed = (filter: string): boolean => !changed.has(filter);
      expect(seen.filter(stayed).sort()).toEqual(before.filter(stayed).sort());
    }),
    { numRuns: 400 },
  );
});

describe("details", () => {
  test("keys are told apart by identity", () => {
    const tree = new SubscriptionTree<{ name: string }, string>();
    const a = { name: "same" };
    const b = { name: "same" };
    tree.set("t", a, "A");
    tree.set("t", b, "B");
    expect([tree.get("t", a), tree.get("t", b), tree.size]).toEqual(["A", "B", 2]);
    expect(tree.delete("t", { name: "same" })).toBeUndefined();
    expect(tree.size).toBe(2);
  });

  test("a level may be called like a property of objects", () => {
    const tree = new SubscriptionTree<string, number>();
    for (const level of ["__proto__", "constructor", "toString", "hasOwnProperty"]) tree.set(level, "k", 1);
    expect(matchAll(tree, "__proto__")).toEqual(["k=1"]);
    expect(matchAll(tree, "valueOf")).toEqual([]);
  });

  test("an invalid filter is refused and leaves the tree as it was", () => {
    const tree = new SubscriptionTree<string, number>();
    for (const filter of ["", "a#", "#/a", "a+/b", "a\0", "$share/g"]) {
      expect(() => tree.set(filter, "k", 1)).toThrow(InvalidTopicError);
      expect(tree.get(filter, "k")).toBeUndefined();
      expect(tree.delete(filter, "k")).toBeUndefined();
    }
    expect([tree.size, tree.generation]).toEqual([0, 0]);
    expect(new InvalidTopicError("filter", "a#").code).toBe("ERR_INVALID_TOPIC_FILTER");
  });

  test("what a visitor throws comes out, and the tree goes on working", () => {
    const tree = new SubscriptionTree<string, number>();
    tree.set("a", "k1", 1);
    tree.set("#", "k2", 2);
    expect(() =>
      tree.match("a", () => {
        throw new Error("visitor");
      }),
    ).toThrow("visitor");
    expect(matchAll(tree, "a")).toEqual(["k1=1", "k2=2"]);
  });
});
