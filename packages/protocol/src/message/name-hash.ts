// A hash of a topic name, for look-ups. It is not secret: names that share a hash can be constructed, so the caches
// that use it bound what these cost (frequent-cache.ts).

import { mix } from "../memory/mix.ts";

/** 32 bits. Four bytes at a time: a multiplication for each byte would cost as much as comparing the names. */
export function nameHash(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start;
  let at = start;
  for (const last = end - 4; at <= last; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash = Math.imul(hash ^ word, 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  let rest = 0;
  for (; at < end; at++) rest = (rest << 8) | (bytes[at] as number);
  return mix(hash ^ rest);
}
