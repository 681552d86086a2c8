// Which of N brokers is responsible for a name: always the same one, whoever asks.
import { encodeUtf8 } from "@wrenmq/codec";

/** FNV-1a, 32 bits, over UTF-8. Part of the format of data folders: it never changes. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encodeUtf8(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The home of a client identifier, or the keeper of a topic's retained message: 0 to count - 1. */
export function homeOf(name: string, count: number): number {
  return stableHash(name) % count;
}
