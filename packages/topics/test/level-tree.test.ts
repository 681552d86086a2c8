import fc from "fast-check";
import { expect, test } from "vitest";
import { LevelMap, LevelNode } from "../src/tree/level-node.ts";
import { ensureNode, findNode, prune } from "../src/tree/level-tree.ts";
import { anyFilter } from "./naive.ts";

type Node = LevelNode<string, number>;

/** All nodes below; fails on a node that should not be there or a map where one child is. */
function countNodes(root: Node): number {
  let count = 0;
  const left: Node[] = [root];
  for (let node = left.pop(); node !== undefined; node = left.pop()) {
    const branches = node.branches;
    if (node !== root) {
      count++;
      expect(node.key !== undefined || branches !== undefined).toBe(true);
    }
    if (branches === undefined) continue;
    const { literals, plus, hash } = branches;
    if (literals instanceof LevelMap) expect(literals.size).toBeGreaterThan(1);
    const places = literals instanceof LevelMap ? [...literals.values()] : [literals];
    const children = [...places.flatMap((place) => (place instanceof Map ? [...place.values()] : [place])), plus, hash];
    const present = children.filter((child) => child !== undefined);
    expect(present.length).toBeGreaterThan(0);
    left.push(...present);
  }
  return count;
}

function put(root: Node, path: string): void {
  ensureNode(root, path).key = path;
}

function remove(root: Node, path: string): void {
  const trail: Node[] = [];
  const node = findNode(root, path, trail);
  if (node === undefined) throw new Error(`${path} is not there`);
  node.key = undefined;
  prune(trail, node);
}

test("there are at most two nodes for each path, none empty, and nothing is left after the last one", () => {
  fc.assert(
    fc.property(fc.uniqueArray(anyFilter, { maxLength: 40 }), fc.nat(), (all, seed) => {
      const root: Node = new LevelNode("");
      for (const path of all) put(root, path);
      expect(countNodes(root)).toBeLessThanOrEqual(2 * all.length);
      const order = [...all].sort((a, b) => ((a.length * 31 + seed) % 7) - ((b.length * 31 + seed) % 7));
      for (const path of order) {
        expect(findNode(root, path)?.key).toBe(path);
        remove(root, path);
        countNodes(root);
      }
      expect(root.branches).toBeUndefined();
    }),
  );
});

test("long labels keep their text when they are split", () => {
  const root: Node = new LevelNode("");
  const long = Array.from({ length: 500 }, (_, i) => `level-${i}-ä😀`).join("/");
  put(root, `${long}/x`);
  put(root, `${long}/y`);
  put(root, "level-0-ä😀/z");
  for (const path of [`${long}/x`, `${long}/y`, "level-0-ä😀/z"]) expect(findNode(root, path)?.key).toBe(path);
  expect(findNode(root, long)?.key).toBeUndefined();
  expect(findNode(root, `${long}/x/`)).toBeUndefined();
});
