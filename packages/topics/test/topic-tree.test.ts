import fc from "fast-check";
import { expect, test } from "vitest";
import { InvalidTopicError, TopicTree } from "../src/index.ts";
import { anyFilter, anyTopic, naiveMatches } from "./naive.ts";
import { utf8 } from "./utf8.ts";

const anyChangeModel = { topic: anyTopic, message: fc.option(fc.nat(9), { nil: undefined }) };
const anyChange = fc.record(anyChangeModel);
type Change = { topic: string; message: number | undefined };

function apply(tree: TopicTree<number> | Map<string, number>, { topic, message }: Change): unknown {
  return message === undefined ? tree.delete(topic) : tree.set(topic, message);
}

test("behaves like a Map with a naive matcher", () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 60 }), fc.array(anyFilter, { maxLength: 8 }), (changes, filters) => {
      const tree = new TopicTree<number>();
      const model = new Map<string, number>();
      for (const change of changes) {
        const previous = model.get(change.topic);
        expect(apply(tree, change)).toBe(previous);
        apply(model, change);
        expect(tree.get(change.topic)).toBe(change.message);
        expect(tree.size).toBe(model.size);
      }
      expect([...tree.entries()].sort()).toEqual([...model].sort());
      for (const filter of filters) {
        const expected = [...model].filter(([topic]) => naiveMatches(filter, topic)).sort();
        expect([...tree.matching(filter)].sort()).toEqual(expected);
        const visited: [string, number][] = [];
        tree.match(filter, (message, topic) => visited.push([topic, message]));
        expect(visited.sort()).toEqual(expected);
      }
      for (const topic of model.keys()) tree.delete(topic);
      expect([tree.size, ...tree.entries()]).toEqual([0]);
    }),
    { numRuns: 400 },
  );
});

test("names that come as bytes, and names that the messages know, do what strings do", () => {
  type Named = { topic: string; value: number };
  const anyTopicChange = fc.record({ ...anyChangeModel, bytes: fc.boolean() });
  fc.assert(
    fc.property(
      fc.array(anyTopicChange, { maxLength: 60 }),
      fc.array(anyFilter, { maxLength: 8 }),
      (changes, filters) => {
        const plain = new TopicTree<Named>();
        const trees = [new TopicTree<Named>(), new TopicTree<Named>(({ topic }) => topic)];
        for (const { topic, message, bytes } of changes) {
          const named = { topic, value: message ?? 0 };
          const expected = message === undefined ? plain.delete(topic) : plain.set(topic, named);
          for (const tree of trees) {
            const encoded = utf8(`/+/${topic}/#`);
            const put = (): Named | undefined =>
              bytes ? tree.setBytes(encoded, 3, encoded.length - 2, named) : tree.set(topic, named);
            expect(message === undefined ? tree.delete(topic) : put()).toBe(expected);
            expect([tree.size, tree.get(topic)]).toEqual([plain.size, plain.get(topic)]);
          }
        }
        const contents = (tree: TopicTree<Named>): unknown[] => [
          [...tree.entries()],
          ...filters.map((filter) => [...tree.matching(filter)]),
          ...filters.map((filter) => {
            const visited: unknown[] = [];
            tree.match(filter, (message, topic) => visited.push([topic, message]));
            return visited;
          }),
        ];
        for (const tree of trees) expect(contents(tree)).toEqual(contents(plain));
      },
    ),
    { numRuns: 400 },
  );
});

test("matching() may be read in pieces while the tree changes: what stays is given once", () => {
  const inputs = fc.tuple(fc.array(anyChange, { maxLength: 40 }), fc.array(anyChange, { maxLength: 40 }), anyFilter);
  fc.assert(
    fc.property(inputs, ([start, changes, filter]) => {
      const tree = new TopicTree<number>();
      for (const change of start) apply(tree, change);
      const before = [...tree.matching(filter)].map(([topic]) => topic);
      const changed = new Set<string>();
      const queue = [...changes];
      const seen: string[] = [];
      for (const [topic, message] of tree.matching(filter)) {
        expect(naiveMatches(filter, topic)).toBe(true);
        expect(tree.get(topic)).toBe(message);
        seen.push(topic);
        for (const change of queue.splice(0, 3)) {
          apply(tree, change);
          changed.add(change.topic);
        }
      }
      const stayed = (topic: string): boolean => !changed.has(topic);
      expect(seen.filter(stayed).sort()).toEqual(before.filter(stayed).sort());
    }),
    { numRuns: 600 },
  );
});

test("a paused walk survives that its branch shrinks to one child and that child is split", () => {
  const tree = new TopicTree<number>();
  for (const topic of ["p/a/x", "p/b/y/z", "p/c"]) tree.set(topic, 1);
  const walk = tree.matching("p/+/#");
  expect(walk.next().value).toEqual(["p/a/x", 1]);
  tree.delete("p/a/x");
  tree.delete("p/c");
  tree.set("p/b/w", 2);
  expect([...walk].map(([topic]) => topic)).toContain("p/b/y/z");
});

test("a walk that finds nothing can be left off and gone on with", () => {
  const tree = new TopicTree<number>();
  for (let i = 0; i < 1000; i++) tree.set(`p/${i}/x`, i);
  tree.set("p/last/y", 1000);
  const walk = tree.walk("p/+/y");
  const found: number[] = [];
  let pieces = 0;
  while (!walk.done) {
    const message = walk.next(10);
    if (message === undefined) pieces++;
    else found.push(message);
  }
  expect(found).toEqual([1000]);
  expect(pieces).toBeGreaterThan(100);
  expect(walk.next()).toBeUndefined();
});

test("an invalid topic name is refused", () => {
  const tree = new TopicTree<number>();
  for (const topic of ["", "+", "a/#", "a\0"]) {
    expect(() => tree.set(topic, 1)).toThrow(InvalidTopicError);
    expect([tree.get(topic), tree.delete(topic)]).toEqual([undefined, undefined]);
  }
  expect(tree.size).toBe(0);
  expect(new InvalidTopicError("name", "+").code).toBe("ERR_INVALID_TOPIC_NAME");
});

test("a stored undefined is an entry", () => {
  const tree = new TopicTree<undefined>();
  tree.set("a", undefined);
  expect([tree.size, [...tree.matching("#")]]).toEqual([1, [["a", undefined]]]);
});
