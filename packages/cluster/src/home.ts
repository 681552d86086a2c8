// Which of N brokers is responsible for a name; the result is the same on every broker.
import { encodeUtf8 } from "@wrenmq/codec";

/** FNV-1a, 32 bits, over UTF-8. Part of the format of data folders: it never changes. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encodeUtf8(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The broker that serves a client identifier, or keeps a topic's retained message: 0 to count - 1. */
export function homeOf(name: string, count: number): number {
  return spread(stableHash(name)) % count;
}

/**
 * The finalizer of MurmurHash3: every bit of the hash affects every bit of the result. The lowest bit of FNV-1a is the
 * parity of the name's bytes, so identifiers that count in steps of two would all have the same home. Part of the
 * format of data folders: it never changes.
 */
function spread(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
