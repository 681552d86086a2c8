// Where the numbers of stored messages begin.
import type { Millis } from "@wrenmq/protocol";

/** Up to here message numbers began with 4,096 for each millisecond since 1970: that reaches 2^53 in 2039. */
const SLOWER_SINCE: Millis = Date.UTC(2027, 0, 1);

/**
 * Message numbers grow across restarts: the time gives the start. From 2027 on it grows by 256 for each millisecond, so
 * that numbers stay below 2^53 for two centuries, and above all that were given before.
 */
export function firstMessageId(now: Millis): number {
  return Math.min(now, SLOWER_SINCE) * 4096 + Math.max(0, now - SLOWER_SINCE) * 256;
}
