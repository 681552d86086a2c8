// The tree of topics: its order and counts, its bounds, and how keys move in it.
import { describe, expect, test } from "vitest";
import type { Message } from "../../web/pure/messages/message.ts";
import { BOUNDS, TopicTree } from "../../web/pure/messages/topic-tree.ts";
import { moved, rowsOf } from "../../web/pure/messages/tree-rows.ts";

const message = (topic: string, payload = "x", more: Partial<Message> = {}): Message => ({
  at: 0,
  topic,
  qos: 0,
  retain: false,
  publisher: "p",
  bytes: payload.length,
  encoding: "utf8",
  payload,
  ...more,
});

function treeOf(topics: readonly string[], bounds: Partial<typeof BOUNDS> = {}): TopicTree {
  const tree = new TopicTree({ ...BOUNDS, ...bounds });
  for (const topic of topics) tree.add(message(topic, `of ${topic}`));
  return tree;
}

const names = (tree: TopicTree, find = ""): string[] => rowsOf(tree.root, find).map(({ path }) => path);

describe("the tree", () => {
  test("has levels by name, numbers by their size, and counts of what is below", () => {
    const tree = treeOf(["b/10", "b/9", "a", "b", "/x", "b/10"]);
    expect(names(tree)).toEqual(["", "/x", "a", "b", "b/9", "b/10"]);
    const [b, ten] = [tree.find("b"), tree.find("b/10")];
    expect(b).toMatchObject({ count: 1, topics: 3, messages: 4 });
    expect(ten).toMatchObject({ count: 2, topics: 1, messages: 2 });
    expect(ten?.history).toHaveLength(2);
    expect(tree.root).toMatchObject({ topics: 5, messages: 6 });
  });

  test("names that differ in case or accent only are different topics, each found again", () => {
    const topics = ["a", "A", "á", "01", "1"];
    const tree = treeOf([...topics, ...topics]);
    expect(tree.root.topics).toBe(5);
    expect(names(tree).toSorted()).toEqual(topics.toSorted());
  });

  test("marks topics with a retained message until that is deleted; who watches again does not count it twice", () => {
    const tree = new TopicTree();
    const retained = message("t", "x", { retain: true, retained: true });
    tree.add(retained);
    tree.add({ ...retained });
    expect(tree.find("t")).toMatchObject({ isRetained: true, count: 1 });
    tree.add(message("t", "live"));
    expect(tree.find("t")).toMatchObject({ isRetained: true, count: 2 });
    tree.add(message("t", "", { retain: true }));
    expect(tree.find("t")).toMatchObject({ isRetained: false, count: 3 });
  });

  test("is bounded in topics, levels and names: what does not fit is counted", () => {
    const full = treeOf(["a", "b", "c", "a"], { topics: 2 });
    expect([names(full), full.leftOut]).toEqual([["a", "b"], 1]);
    const deep = treeOf(["a/b/c", "a/b/d", "a/b/c/e", "x"], { nodes: 4 });
    expect([deep.root.topics, deep.leftOut]).toEqual([2, 2]);
    const long = treeOf(["abc", "defg", "hi"], { names: 5 });
    expect([names(long), long.leftOut]).toEqual([["abc", "hi"], 1]);
    const levels = treeOf([Array.from({ length: 60_000 }, () => "").join("/")]);
    expect(names(levels)).toHaveLength(50);
  });

  test("keeps the last messages of a topic, and of all topics those for which there is memory", () => {
    const tree = new TopicTree({ ...BOUNDS, history: 3, memory: 10 * 1_000 });
    for (let number = 0; number < 5; number++) tree.add(message("busy", String(number)));
    expect(tree.find("busy")?.history.map(({ payload }) => payload)).toEqual(["2", "3", "4"]);
    tree.add(message("rare", "y".repeat(900)));
    for (let number = 0; number < 3_000; number++) tree.add(message(`t/${number % 20}`, "z".repeat(900)));
    expect(tree.find("rare")?.history).toEqual([]);
    expect(tree.find("rare")?.last).toMatchObject({ payload: "y".repeat(100), truncated: true, bytes: 900 });
    const kept = rowsOf(tree.root, "").flatMap(({ history }) => history);
    expect(kept.length).toBeLessThan(10);
    expect(tree.find("t/19")?.history.length).toBe(1);
    expect(tree.find("t/19")?.count).toBe(150);
  });
});

describe("the rows", () => {
  test("are those of open branches; while there are few topics, branches begin open", () => {
    const tree = treeOf(Array.from({ length: 300 }, (_, number) => `${Math.floor(number / 50)}/${number}`));
    expect(names(tree)).toHaveLength(6 + 100);
    tree.setOpen(false);
    expect(names(tree)).toEqual(["0", "1", "2", "3", "4", "5"]);
    tree.setOpen(true);
    expect(names(tree)).toHaveLength(306);
  });

  test("can be those of topics that contain a text, also in branches that are closed", () => {
    const tree = treeOf(["a/Temp", "a/other", "b/c/temperature", "temp"]);
    tree.setOpen(false);
    expect(names(tree, "temp")).toEqual(["a", "a/Temp", "b", "b/c", "b/c/temperature", "temp"]);
    expect(names(tree, "b/c")).toEqual(["b", "b/c", "b/c/temperature"]);
    expect(names(tree, "nothing")).toEqual([]);
  });

  test("are walked with the keys of a tree", () => {
    const tree = treeOf(["a/1", "a/2", "b"]);
    const go = (from: string | undefined, key: string): string | undefined =>
      moved(rowsOf(tree.root, ""), from === undefined ? undefined : tree.find(from), key)?.path;
    expect(go(undefined, "ArrowDown")).toBe("a");
    expect(go("a", "ArrowUp")).toBe("a");
    expect(go("a", "ArrowDown")).toBe("a/1");
    expect(go("a/1", "ArrowLeft")).toBe("a");
    expect(go("a", "ArrowLeft")).toBe("a");
    expect(tree.find("a")?.isOpen).toBe(false);
    expect(go("a", "ArrowDown")).toBe("b");
    expect(go("a", "ArrowRight")).toBe("a");
    expect(go("a", "ArrowRight")).toBe("a/1");
    expect([go("a", "End"), go("b", "Home"), go("b", "PageUp"), go("a", "PageDown")]).toEqual(["b", "a", "a", "b"]);
    expect(go("b", "x")).toBeUndefined();
  });
});
