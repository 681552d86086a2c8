// The tree under both public trees: topic names or filters split at "/", with runs of levels in one node.
//
//   set a/b/c/d            root ── "a/b/c/d"
//   set a/b/+/x            root ── "a/b" ─┬─ "c/d"        (split: the old node keeps its identity and its end)
//                                         └─ plus: "+/x"
//
// Rules that walks in progress rely on (a node on a walk's stack always means "matched up to the END of its label"):
// a node's end never moves – splitting puts a new node above it – and nodes are never merged, only pruned when they
// and all below hold nothing. So there are at most twice as many nodes as there were entries at once, none empty.
// Paths are byte strings (byte-string.ts).
import { HASH, PLUS, SLASH } from "../characters.ts";
import { NO_MATCH } from "../topic-match.ts";
import { byteStringOf } from "./byte-string.ts";
import { detached } from "./detached.ts";
import { beginsWithLevelOf } from "./level.ts";
import { Branches, LevelMap, LevelNode, ownFirstLevel } from "./level-node.ts";
import { matchBytes } from "./match-bytes.ts";

/** The node that ends where `path` ends, or `undefined`. It may hold nothing itself. */
export function findNode<K, V>(
  root: LevelNode<K, V>,
  path: string,
  trail?: LevelNode<K, V>[],
): LevelNode<K, V> | undefined {
  let node = root;
  let at = 0;
  while (at <= path.length) {
    const child = childAt(node, path, at);
    if (child === undefined || !path.startsWith(child.label, at)) return undefined;
    const end = at + child.label.length;
    if (end < path.length && path.charCodeAt(end) !== SLASH) return undefined;
    trail?.push(node);
    node = child;
    at = end + 1;
  }
  return node;
}

/** The node that ends where `path` ends, made if need be. */
export function ensureNode<K, V>(root: LevelNode<K, V>, path: string): LevelNode<K, V> {
  let node = root;
  let at = 0;
  while (at <= path.length) {
    let child = childAt(node, path, at);
    if (child === undefined) {
      const label = path.slice(at);
      child = new LevelNode(label.length * 2 < path.length ? detached(label) : label);
      attach(node, child);
      return child;
    }
    const common = commonLevels(child.label, path, at);
    if (common < child.label.length) child = split(node, child, common);
    node = child;
    at += common + 1;
  }
  return node;
}

/** The same for a topic name that is there as bytes: only what the tree lacks of it becomes a string. */
export function ensureNodeOfName<K, V>(
  root: LevelNode<K, V>,
  name: Uint8Array,
  start: number,
  end: number,
): LevelNode<K, V> {
  let node = root;
  let at = start;
  while (at <= end) {
    const child = candidateAt(node, name, at, end);
    const next = child === undefined ? NO_MATCH : matchBytes(child.label, name, at, end);
    if (child === undefined || next === NO_MATCH) return ensureNode(node, byteStringOf(name, at, end));
    node = child;
    at = next;
  }
  return node;
}

/** The only literal child that may be that of the level at `at`: the caller compares its label. */
function candidateAt<K, V>(
  node: LevelNode<K, V>,
  name: Uint8Array,
  at: number,
  end: number,
): LevelNode<K, V> | undefined {
  const literals = node.branches?.literals;
  return literals instanceof LevelMap ? literals.candidate(name, at, end) : literals;
}

/** Takes `node` and what is above it out of the tree as far as it holds nothing; `trail` are its ancestors, root first. */
export function prune<K, V>(trail: LevelNode<K, V>[], node: LevelNode<K, V>): void {
  let leaf = node;
  while (leaf.key === undefined && leaf.branches === undefined) {
    const parent = trail.pop();
    if (parent?.branches === undefined) return; // the root stays
    detach(parent, parent.branches, leaf);
    leaf = parent;
  }
}

export function childAt<K, V>(node: LevelNode<K, V>, path: string, at: number): LevelNode<K, V> | undefined {
  const branches = node.branches;
  if (branches === undefined) return undefined;
  const unit = path.charCodeAt(at);
  if (unit === PLUS) return branches.plus;
  if (unit === HASH) return branches.hash;
  return literalAt(branches, path, at);
}

/** The child whose label begins with the level that begins at `at`. */
export function literalAt<K, V>(branches: Branches<K, V>, path: string, at: number): LevelNode<K, V> | undefined {
  const literals = branches.literals;
  if (literals === undefined) return undefined;
  if (literals instanceof LevelMap) return literals.child(path, at);
  return beginsWithLevelOf(literals.label, path, at) ? literals : undefined;
}

/**
 * The literal children, one at a time, while the tree may change in between: every child that is there all the time
 * is given once. A Map's iterator sees to that as long as the map is in use; should the branch have gone back to a
 * single child meanwhile, the old map was left with that one and knows its level, and the tree what is there now.
 */
export class LiteralWalk<K, V> {
  readonly #branches: Branches<K, V>;
  readonly #map: LevelMap<K, V>;
  readonly #places: ReturnType<LevelMap<K, V>["values"]>;
  /** Levels that share a hash and are still to be given. */
  #sharing: string[] | undefined = undefined;

  constructor(branches: Branches<K, V>, map: LevelMap<K, V>) {
    this.#branches = branches;
    this.#map = map;
    this.#places = map.values();
  }

  next(): LevelNode<K, V> | undefined {
    for (;;) {
      if (this.#sharing !== undefined) {
        const level = this.#sharing.pop();
        if (level === undefined) this.#sharing = undefined;
        const child = level === undefined ? undefined : literalAt(this.#branches, level, 0);
        if (child !== undefined) return child;
        continue;
      }
      const step = this.#places.next();
      if (step.done === true) return undefined;
      if (step.value instanceof Map) {
        this.#sharing = [...step.value.keys()];
        continue;
      }
      if (this.#branches.literals === this.#map) return step.value;
      const { lastLevel } = this.#map;
      return lastLevel === undefined ? undefined : literalAt(this.#branches, lastLevel, 0);
    }
  }
}

/** How many characters of `label` are whole levels that `path` has from `at` on as well; the first level is. */
function commonLevels(label: string, path: string, at: number): number {
  if (path.startsWith(label, at)) {
    const end = at + label.length;
    if (end === path.length || path.charCodeAt(end) === SLASH) return label.length;
  }
  let common = 0;
  for (let i = 0; ; i++) {
    const labelEnds = i === label.length || label.charCodeAt(i) === SLASH;
    const pathEnds = at + i === path.length || path.charCodeAt(at + i) === SLASH;
    if (labelEnds && pathEnds) common = i;
    if (i === label.length || at + i === path.length || label.charCodeAt(i) !== path.charCodeAt(at + i)) return common;
  }
}

/** Puts a new node for the first `common` characters of the child's label between it and its parent. */
function split<K, V>(parent: LevelNode<K, V>, child: LevelNode<K, V>, common: number): LevelNode<K, V> {
  const label = child.label;
  const above = new LevelNode<K, V>(detached(label.slice(0, common)));
  attach(parent, above); // takes the child's place, found by the first level of the label it still has
  child.label = detached(label.slice(common + 1));
  attach(above, child);
  return above;
}

function attach<K, V>(parent: LevelNode<K, V>, child: LevelNode<K, V>): void {
  parent.branches ??= new Branches();
  const branches = parent.branches;
  const unit = child.label.charCodeAt(0);
  if (unit === PLUS) {
    branches.plus = child;
  } else if (unit === HASH) {
    branches.hash = child;
  } else if (branches.literals === undefined) {
    branches.literals = child;
  } else if (branches.literals instanceof LevelMap) {
    branches.literals.put(child);
  } else if (beginsWithLevelOf(branches.literals.label, child.label, 0)) {
    branches.literals = child;
  } else {
    const map = new LevelMap<K, V>();
    map.put(branches.literals);
    map.put(child);
    branches.literals = map;
  }
}

function detach<K, V>(parent: LevelNode<K, V>, branches: Branches<K, V>, child: LevelNode<K, V>): void {
  const literals = branches.literals;
  if (branches.plus === child) {
    branches.plus = undefined;
  } else if (branches.hash === child) {
    branches.hash = undefined;
  } else if (literals instanceof LevelMap) {
    const only = literals.takeOut(child);
    if (only === undefined) return;
    literals.lastLevel = ownFirstLevel(only.label);
    branches.literals = only;
  } else {
    branches.literals = undefined;
  }
  if (branches.literals === undefined && branches.plus === undefined && branches.hash === undefined) {
    parent.branches = undefined;
  }
}
