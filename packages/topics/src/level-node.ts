// The nodes of the tree that level-tree.ts describes, and how a node finds its children.
import { levelEnd } from "./characters.ts";
import { detached } from "./detached.ts";
import { beginsWithLevelOf, firstLevel, levelHash, levelHashOfBytes, levelOf } from "./level.ts";

export class LevelNode<K, V> {
  /** One level or more as a byte string, without "/" at the ends; of the root "" (which nothing reads). */
  label: string;
  /** `undefined`: nothing is stored here. What else key and value mean is up to the tree. */
  key: K | undefined = undefined;
  value: V | undefined = undefined;
  branches: Branches<K, V> | undefined = undefined;
  /** The tree's generation when key or value changed last, in trees that have one. */
  version: number = 0;

  constructor(label: string) {
    this.label = label;
  }
}

/** The children of a node, by the first level of their labels; a map only for two literal ones or more. */
export class Branches<K, V> {
  literals: LevelNode<K, V> | LevelMap<K, V> | undefined = undefined;
  plus: LevelNode<K, V> | undefined = undefined;
  hash: LevelNode<K, V> | undefined = undefined;
}

type Place<K, V> = LevelNode<K, V> | Map<string, LevelNode<K, V>>;

/**
 * The literal children of a node that has two or more, by the first level of their labels: a Map from the level's hash,
 * so that a level of a topic that is there as bytes need not become a string. Levels that share a hash, which happens by
 * chance once among some ten thousand and as often as somebody with bad intentions likes, share a second Map, from their
 * text: however many they are, finding one of them is one look-up more.
 */
export class LevelMap<K, V> {
  readonly #places = new Map<number, Place<K, V>>();
  #size = 0;
  /** The first level of the only child that is left: set when the map is given up for it. */
  lastLevel: string | undefined = undefined;

  get size(): number {
    return this.#size;
  }

  /** The child for the level of the byte string `path` that begins at `at`. */
  get(path: string, at: number): LevelNode<K, V> | undefined {
    const place = this.#places.get(levelHash(path, at));
    if (place === undefined) return undefined;
    if (place instanceof LevelNode) return beginsWithLevelOf(place.label, path, at) ? place : undefined;
    return place.get(path.slice(at, levelEnd(path, at)));
  }

  /** The only child that can be the one for the level at `at`: whoever asks compares its label. */
  candidate(name: Uint8Array, at: number, end: number): LevelNode<K, V> | undefined {
    const place = this.#places.get(levelHashOfBytes(name, at, end));
    return place === undefined || place instanceof LevelNode ? place : place.get(levelOf(name, at, end));
  }

  /** Adds a child, or puts it in the place of the one for the same level. */
  set(child: LevelNode<K, V>): void {
    const hash = levelHash(child.label, 0);
    const place = this.#places.get(hash);
    if (place === undefined) {
      this.#places.set(hash, child);
      this.#size++;
    } else if (!(place instanceof LevelNode)) {
      const sizeBefore = place.size;
      place.set(detached(firstLevel(child.label)), child);
      this.#size += place.size - sizeBefore;
    } else if (beginsWithLevelOf(place.label, child.label, 0)) {
      this.#places.set(hash, child);
    } else {
      const both = [place, child].map((node): [string, LevelNode<K, V>] => [detached(firstLevel(node.label)), node]);
      this.#places.set(hash, new Map(both));
      this.#size++;
    }
  }

  /** Takes out a child that is there. */
  delete(child: LevelNode<K, V>): void {
    const hash = levelHash(child.label, 0);
    const place = this.#places.get(hash);
    if (place instanceof Map) {
      place.delete(firstLevel(child.label));
      if (place.size === 1) for (const only of place.values()) this.#places.set(hash, only);
    } else {
      this.#places.delete(hash);
    }
    this.#size--;
  }

  *values(): IterableIterator<LevelNode<K, V>> {
    for (const place of this.#places.values()) {
      if (place instanceof LevelNode) yield place;
      else yield* place.values();
    }
  }

  /** What is there for each hash, while the map may change: as the iterator of a Map. */
  places(): IterableIterator<Place<K, V>> {
    return this.#places.values();
  }
}
