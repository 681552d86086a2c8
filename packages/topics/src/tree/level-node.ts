// The nodes of the tree that level-tree.ts describes, and how a node finds its children.
import { levelEnd } from "../characters.ts";
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
 * text: however many they are, finding one of them is one look-up more. (A subclass, because a field would be 40 bytes
 * more for each node that branches.)
 */
export class LevelMap<K, V> extends Map<number, Place<K, V>> {
  /** The first level of the only child that was left: set when the map was given up for it. */
  lastLevel: string | undefined = undefined;

  /** The child for the level of the byte string `path` that begins at `at`. */
  child(path: string, at: number): LevelNode<K, V> | undefined {
    const place = this.get(levelHash(path, at));
    if (place === undefined) return undefined;
    if (place instanceof LevelNode) return beginsWithLevelOf(place.label, path, at) ? place : undefined;
    return place.get(path.slice(at, levelEnd(path, at)));
  }

  /** The only child that may be that of the level at `at`: the caller compares its label. */
  candidate(name: Uint8Array, at: number, end: number): LevelNode<K, V> | undefined {
    const place = this.get(levelHashOfBytes(name, at, end));
    return place === undefined || place instanceof LevelNode ? place : place.get(levelOf(name, at, end));
  }

  /** Puts a child where it belongs: in the place of the one for the same level, if there is one. */
  put(child: LevelNode<K, V>): void {
    const hash = levelHash(child.label, 0);
    const place = this.get(hash);
    if (place === undefined || (place instanceof LevelNode && beginsWithLevelOf(place.label, child.label, 0))) {
      this.set(hash, child);
      return;
    }
    const sharing = place instanceof LevelNode ? new Map([[ownFirstLevel(place.label), place]]) : place;
    sharing.set(ownFirstLevel(child.label), child);
    this.set(hash, sharing);
  }

  /** Takes out a child that is there. @returns the only one that is left, if it is the only one */
  takeOut(child: LevelNode<K, V>): LevelNode<K, V> | undefined {
    const hash = levelHash(child.label, 0);
    const place = this.get(hash);
    if (place instanceof Map) {
      place.delete(firstLevel(child.label));
      if (place.size === 1) for (const only of place.values()) this.set(hash, only);
    } else {
      this.delete(hash);
    }
    if (this.size > 1) return undefined;
    for (const only of this.values()) if (only instanceof LevelNode) return only;
    return undefined;
  }
}

export function ownFirstLevel(label: string): string {
  return detached(firstLevel(label));
}
