// One level of a path: of a byte string (byte-string.ts), or of a topic name that is there as bytes.
import { levelEnd, SLASH } from "../characters.ts";

const BASIS = 0x811c_9dc5 | 0;
const PRIME = 0x0100_0193;

/**
 * The level that begins at `at` as a number, found without making a string of it: a small integer for every engine, 0 to
 * 2^30 - 1. Levels that share one are easily found by whoever wants to: see `LevelMap` for what becomes of those.
 */
export function levelHash(path: string, at: number): number {
  let hash = BASIS;
  for (let i = at; i < path.length; i++) {
    const unit = path.charCodeAt(i);
    if (unit === SLASH) break;
    hash = Math.imul(hash ^ unit, PRIME);
  }
  return hash >>> 2;
}

/** The same of the level that begins at `at` in a name that ends at `end`. */
export function levelHashOfBytes(name: Uint8Array, at: number, end: number): number {
  let hash = BASIS;
  for (let i = at; i < end; i++) {
    const byte = name[i] as number;
    if (byte === SLASH) break;
    hash = Math.imul(hash ^ byte, PRIME);
  }
  return hash >>> 2;
}

export function firstLevel(label: string): string {
  return label.slice(0, levelEnd(label, 0));
}

/** Is the first level of `label` the one that begins at `at`? */
export function beginsWithLevelOf(label: string, path: string, at: number): boolean {
  for (let i = 0; ; i++) {
    const labelEnds = i === label.length || label.charCodeAt(i) === SLASH;
    const pathEnds = at + i === path.length || path.charCodeAt(at + i) === SLASH;
    if (labelEnds || pathEnds) return labelEnds && pathEnds;
    if (label.charCodeAt(i) !== path.charCodeAt(at + i)) return false;
  }
}

/** The level that begins at `at` as a byte string. */
export function levelOf(name: Uint8Array, at: number, end: number): string {
  let level = "";
  for (let i = at; i < end && name[i] !== SLASH; i++) level += String.fromCharCode(name[i] as number);
  return level;
}
