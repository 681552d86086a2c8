// Levels that share a hash: by the thousand if somebody looks for them.
import { expect, test } from "vitest";
import { SubscriptionTree, TopicTree } from "../src/index.ts";
import { levelHash } from "../src/tree/level.ts";
import { LevelMap, LevelNode } from "../src/tree/level-node.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Two different texts which, put behind `prefix`, share a hash. */
function colliding(prefix: string): [string, string] {
  const known = new Map<number, string>();
  for (let number = 0; ; number++) {
    let text = "";
    for (let rest = number + 36 ** 3; rest > 0; rest = Math.floor(rest / 36)) text += ALPHABET[rest % 36];
    const hash = levelHash(prefix + text, 0);
    const other = known.get(hash);
    if (other !== undefined && isStill(prefix, other, text)) return [other, text];
    known.set(hash, text);
  }
}

/** The lowest two bits of the state are not in the hash: only what has them in common too goes on together. */
function isStill(prefix: string, one: string, other: string): boolean {
  return ["x", "y", "zz"].every((more) => levelHash(prefix + one + more, 0) === levelHash(prefix + other + more, 0));
}

/** 2^`bits` different levels with one hash: each block may be one of two, and the hash goes on from the same state. */
function sharingOneHash(bits: number): string[] {
  let levels = [""];
  for (let bit = 0; bit < bits; bit++) {
    const pair = colliding(levels[0] ?? "");
    levels = levels.flatMap((level) => pair.map((block) => level + block));
  }
  return levels;
}

const levels = sharingOneHash(3);

test("levels that share a hash are different levels", () => {
  expect(new Set(levels.map((level) => levelHash(level, 0))).size).toBe(1);
  expect(new Set(levels).size).toBe(8);
  const tree = new SubscriptionTree<string, string>();
  const retained = new TopicTree<string>();
  const matched = (topic: string): string[] => {
    const found: string[] = [];
    tree.match(topic, (value) => found.push(value));
    return found;
  };
  for (const level of [...levels, "other"]) {
    expect(matched(`a/${level}/x`)).toEqual([]);
    tree.set(`a/${level}/x`, "k", level);
    retained.set(`a/${level}/x`, level);
    expect(matched(`a/${level}/x`)).toEqual([level]);
  }
  for (const level of levels) expect([matched(`a/${level}/x`), retained.get(`a/${level}/x`)]).toEqual([[level], level]);
  expect([...tree.filters()].sort()).toEqual([...levels, "other"].map((level) => `a/${level}/x`).sort());
  expect([...retained.matching("a/+/x")].map(([, level]) => level).sort()).toEqual([...levels, "other"].sort());
  expect(matched(`a/${levels[0]}${levels[0]}/x`)).toEqual([]);
  for (const level of levels) {
    tree.delete(`a/${level}/x`, "k");
    retained.delete(`a/${level}/x`);
    expect([matched(`a/${level}/x`), retained.get(`a/${level}/x`)]).toEqual([[], undefined]);
  }
  expect(matched("a/other/x")).toEqual(["other"]);
  expect([...retained.entries()]).toEqual([["a/other/x", "other"]]);
});

test("a walk over levels that share a hash gives what stays exactly once, whatever else is added, split and deleted", () => {
  const tree = new TopicTree<string>();
  const topic = (level: string | undefined): string => `a/${level}/x/y`;
  for (const level of [...levels, "b", "c"]) tree.set(topic(level), "stays");
  const walk = tree.matching("a/#");
  const found: string[] = [];
  const [gone, ...stay] = levels;
  for (let step = 0; ; step++) {
    const next = walk.next();
    if (next.done === true) break;
    found.push(next.value[0]);
    if (step === 0) tree.delete(topic(gone));
    if (step === 1) for (const level of stay) tree.set(`a/${level}/x/z`, "new"); // splits
    if (step === 2) for (const level of stay) tree.delete(`a/${level}/x/z`);
    if (step === 3) tree.set(topic(gone), "again");
  }
  for (const level of [...stay, "b", "c"]) expect(found.filter((name) => name === topic(level))).toHaveLength(1);
});

test("a walk goes on when of levels that share a hash all but one are deleted, and others come", () => {
  for (const kept of levels) {
    const tree = new TopicTree<string>();
    for (const level of levels) tree.set(`a/${level}`, level);
    const walk = tree.matching("a/+");
    const first = walk.next().value?.[0];
    for (const level of levels) if (level !== kept) tree.delete(`a/${level}`);
    tree.set(`a/${kept}/below`, "splits nothing");
    tree.set("a/new", "new");
    const rest = [...walk].map(([name]) => name);
    const all = [first, ...rest].filter((name) => name === `a/${kept}`);
    expect(all).toHaveLength(1);
  }
});

test("one look gives the only child that can be the one for a level: those that share its hash are not gone through", () => {
  const map = new LevelMap<string, string>();
  const nodes = levels.map((level) => new LevelNode<string, string>(`${level}/x`));
  for (const node of nodes) map.put(node);
  expect(map.size).toBe(1);
  for (const [index, level] of levels.entries()) {
    const bytes = Uint8Array.from(`..${level}/y`, (unit) => unit.charCodeAt(0));
    expect(map.candidate(bytes, 2, bytes.length)).toBe(nodes[index]);
  }
});
