// `matchPrefix` of topic-match.ts, its plain twin, for topic names that are there as bytes.
import { HASH, PLUS, SLASH } from "../characters.ts";
import { NO_MATCH } from "../topic-match.ts";

/**
 * Matches all levels of `levels` (a byte string: a filter or a piece of one, cut at a "/") with those of `name` that
 * begin at `start`. Returns where the next level of the name begins (`end + 1` when none is left: the name ended together
 * with `levels`, or a "#" took the rest), or `NO_MATCH`. Knows nothing of "$".
 */
export function matchBytes(levels: string, name: Uint8Array, start: number, end: number): number {
  const size = levels.length;
  let i = 0;
  let at = start;
  for (;;) {
    const unit = levels.charCodeAt(i);
    if (unit === HASH) return end + 1;
    if (unit === PLUS) {
      i++;
      while (at < end && name[at] !== SLASH) at++;
    } else {
      while (i < size && at < end) {
        const want = levels.charCodeAt(i);
        if (want === SLASH || want !== name[at]) break;
        i++;
        at++;
      }
      if (i < size && levels.charCodeAt(i) !== SLASH) return NO_MATCH;
      if (at < end && name[at] !== SLASH) return NO_MATCH;
    }
    if (i >= size) return at + 1;
    i++;
    // "a/#" stands for "a" as well.
    if (at >= end) return levels.charCodeAt(i) === HASH ? end + 1 : NO_MATCH;
    at++;
  }
}
