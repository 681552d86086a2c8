import { DOLLAR } from "./characters.ts";
import { InvalidTopicError } from "./invalid-topic-error.ts";
import { isTopicFilter } from "./topic-filter.ts";
import { NO_MATCH } from "./topic-match.ts";
import { byteString, textOf, writeBytes } from "./tree/byte-string.ts";
import { LevelMap, LevelNode } from "./tree/level-node.ts";
import { ensureNode, findNode, LiteralWalk, prune } from "./tree/level-tree.ts";
import { matchBytes } from "./tree/match-bytes.ts";

/** The key of a node whose value is a Map of subscribers; with a single one the node holds key and value itself. */
const MANY: unique symbol = Symbol("many");
type Node<K, V> = LevelNode<K | typeof MANY, V | Map<K, V>>;

/** Scratch space longer than this is given back after use. */
const KEPT_SLOTS = 4096;

/** A filter that has subscribers, as `SubscriptionTree.find` gives it: to be read before the tree changes. */
export interface StoredFilter {
  /** Another number after every change to the filter's entries, and never that of another filter of the tree. */
  readonly version: number;
}

/**
 * Which subscribers does a topic go to? One value for each pair of topic filter and key (a session, a client id).
 * Filters are plain ones: of "$share/group/filter" store the filter, with the group in the key or the value.
 *
 * Matching costs one look-up for each level of the topic and each different mixture of "+" and words above it that is
 * stored; filters that cannot match are not looked at. No node is visited twice for a topic, so no set of filters
 * costs more than its own size. Nothing is recursive.
 */
export class SubscriptionTree<K extends object | string, V> {
  readonly #root: Node<K, V> = new LevelNode("");
  #size = 0;
  #generation = 0;
  // Scratch space of match(): the nodes (and how far in the topic) still to be looked at, and the nodes that match.
  readonly #pending: (Node<K, V> | undefined)[] = [];
  readonly #positions: number[] = [];
  readonly #matched: (Node<K, V> | undefined)[] = [];
  #matchedCount = 0;
  #topic = new Uint8Array(256);

  /** The number of pairs of filter and key. */
  get size(): number {
    return this.#size;
  }

  /** Another number after every change to what `match` would visit; results stamped with it can be cached. */
  get generation(): number {
    return this.#generation;
  }

  /** Returns the value that was there. @throws InvalidTopicError ERR_INVALID_TOPIC_FILTER (section 4.7) */
  set(filter: string, key: K, value: V): V | undefined {
    if (!isTopicFilter(filter)) throw new InvalidTopicError("filter", filter);
    const node: Node<K, V> = ensureNode(this.#root, byteString(filter));
    let previous: V | undefined;
    let isNew = true;
    if (node.key === undefined) {
      node.key = key;
      node.value = value;
    } else if (node.key === key) {
      isNew = false;
      previous = node.value as V;
      node.value = value;
    } else {
      const many = node.key === MANY ? (node.value as Map<K, V>) : new Map([[node.key, node.value as V]]);
      isNew = !many.has(key);
      previous = many.get(key);
      many.set(key, value);
      node.key = MANY;
      node.value = many;
    }
    if (isNew) this.#size++;
    if (isNew || previous !== value) node.version = ++this.#generation;
    return previous;
  }

  get(filter: string, key: K): V | undefined {
    const node = findNode(this.#root, byteString(filter));
    return node === undefined ? undefined : valueAt(node, key);
  }

  /** Returns the value that was there. Nothing of the filter stays behind once its last key is deleted. */
  delete(filter: string, key: K): V | undefined {
    const trail: Node<K, V>[] = [];
    const node = findNode(this.#root, byteString(filter), trail);
    if (node === undefined) return undefined;
    let previous: V | undefined;
    if (node.key === MANY) {
      const many = node.value as Map<K, V>;
      previous = many.get(key);
      if (!many.delete(key)) return undefined;
      if (many.size === 1) for (const [lastKey, lastValue] of many) [node.key, node.value] = [lastKey, lastValue];
    } else {
      if (node.key !== key) return undefined;
      previous = node.value as V;
      node.key = undefined;
      node.value = undefined;
      prune(trail, node);
    }
    this.#size--;
    node.version = ++this.#generation;
    return previous;
  }

  /** The meaning of its entries has changed: increments `generation` and the filter's version. */
  touch(filter: string): void {
    const node = findNode(this.#root, byteString(filter));
    if (node?.key !== undefined) node.version = ++this.#generation;
  }

  /**
   * Calls `visit` for every entry whose filter matches the (valid) topic name, in no particular order; a key with
   * several matching filters is visited for each. `visit` may change the tree and match other topics: an entry that
   * stays is visited exactly once, one deleted meanwhile no more, one added meanwhile perhaps. What it throws passes.
   */
  match(topic: string, visit: (value: V, key: K) => void): void {
    const matched = this.#matched;
    const first = this.#matchedCount;
    const end = this.#find(topic, first);
    this.#matchedCount = end;
    try {
      for (let i = first; i < end; i++) {
        const node = matched[i];
        if (node !== undefined) visitEntries(node, visit);
      }
    } finally {
      if (first === 0 && matched.length > KEPT_SLOTS) matched.length = 0;
      else matched.fill(undefined, first, end);
      this.#matchedCount = first;
    }
  }

  /** Calls `visit` for every entry of a filter that `find` gave; it may change the tree, see `match`. */
  visit(filter: StoredFilter, visit: (value: V, key: K) => void): void {
    visitEntries(filter as Node<K, V>, visit);
  }

  /**
   * The filters that match a topic name which is there in UTF-8, from `start` to `end`, and is valid: they are put into
   * `into` from `from` on, in an order that depends on nothing but which they are and how the tree was made. What
   * `match` would visit is exactly what the same filters of the same versions have. @returns the index behind the last one
   */
  find(name: Uint8Array, start: number, end: number, into: (StoredFilter | undefined)[], from: number = 0): number {
    const pending = this.#pending;
    const positions = this.#positions;
    let found = from;
    let waiting = 0;
    let node: Node<K, V> = this.#root;
    let at = start;
    for (;;) {
      const branches = node.branches;
      let next: Node<K, V> | undefined;
      if (at > end) {
        if (node.key !== undefined) into[found++] = node;
        if (branches?.hash !== undefined) into[found++] = branches.hash; // "a/#" matches "a"
      } else if (branches !== undefined) {
        if (at > start || name[at] !== DOLLAR) {
          // [MQTT-4.7.2-1]
          if (branches.hash !== undefined) into[found++] = branches.hash;
          if (branches.plus !== undefined) {
            const matched = matchBytes(branches.plus.label, name, at, end);
            if (matched !== NO_MATCH) {
              pending[waiting] = branches.plus;
              positions[waiting++] = matched;
            }
          }
        }
        const { literals } = branches;
        const child = literals instanceof LevelMap ? literals.candidate(name, at, end) : literals;
        if (child !== undefined) {
          const matched = matchBytes(child.label, name, at, end);
          if (matched !== NO_MATCH) {
            next = child;
            at = matched;
          }
        }
      }
      if (next === undefined) {
        if (waiting === 0) break;
        next = pending[--waiting];
        at = positions[waiting] ?? Number.POSITIVE_INFINITY;
        pending[waiting] = undefined;
        if (next === undefined) break;
      }
      node = next;
    }
    if (pending.length > KEPT_SLOTS) pending.length = positions.length = 0;
    return found;
  }

  /** Every filter that has an entry, once, in no particular order. Read it in pieces as you like (see `match`). */
  *filters(): IterableIterator<string> {
    // A node on the stack is matched by its whole path, which stays true whatever is changed in the meantime.
    const stack: (
      | { node: Node<K, V>; path: string }
      | { walk: LiteralWalk<Node<K, V>["key"] & {}, V | Map<K, V>>; prefix: string }
    )[] = [{ node: this.#root, path: "" }];
    for (;;) {
      const top = stack.at(-1);
      if (top === undefined) return;
      if ("walk" in top) {
        const child = top.walk.next();
        if (child === undefined) stack.pop();
        else stack.push({ node: child, path: top.prefix + child.label });
        continue;
      }
      stack.pop();
      const { node, path } = top;
      const prefix = node === this.#root ? "" : `${path}/`;
      const branches = node.branches;
      if (branches !== undefined) {
        const { literals, plus, hash } = branches;
        if (literals instanceof LevelMap) stack.push({ walk: new LiteralWalk(branches, literals), prefix });
        else if (literals !== undefined) stack.push({ node: literals, path: prefix + literals.label });
        if (plus !== undefined) stack.push({ node: plus, path: prefix + plus.label });
        if (hash !== undefined) stack.push({ node: hash, path: prefix + hash.label });
      }
      if (node.key !== undefined) yield textOf(path);
    }
  }

  /** Puts the matching nodes in `#matched`. No code of others runs in here, so the tree holds still. */

  #find(topic: string, from: number): number {
    const longest = topic.length * 3;
    if (longest > this.#topic.length) this.#topic = new Uint8Array(longest);
    const name = this.#topic;
    const end = this.find(name, 0, writeBytes(topic, name), this.#matched as StoredFilter[], from);
    if (name.length > KEPT_SLOTS) this.#topic = new Uint8Array(256);
    return end;
  }
}

function valueAt<K, V>(node: Node<K, V>, key: K): V | undefined {
  if (node.key === MANY) return (node.value as Map<K, V>).get(key);
  return node.key === key ? (node.value as V) : undefined;
}

function visitEntries<K, V>(node: Node<K, V>, visit: (value: V, key: K) => void): void {
  if (node.key === MANY) visitMany(node, node.value as Map<K, V>, visit);
  else if (node.key !== undefined) visit(node.value as V, node.key);
}

function visitMany<K, V>(node: Node<K, V>, many: Map<K, V>, visit: (value: V, key: K) => void): void {
  for (const [key, value] of many) {
    if (node.value === many) {
      visit(value, key);
    } else if (node.key === key) {
      // visit() deleted all but one, which the node holds itself now, perhaps with another value.
      visit(node.value as V, key);
    }
  }
}
