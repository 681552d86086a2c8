import { DOLLAR, HASH, PLUS, SLASH } from "./characters.ts";

/** {@link matchPrefix}: the levels do not fit. */
export const NO_MATCH: number = -1;

/**
 * Whether `topic` is one of the topics that `filter` stands for (section 4.7). Both are taken to be valid, and the
 * filter of a shared subscription to be the part after the group. Linear, allocates nothing.
 */
export function topicMatches(filter: string, topic: string): boolean {
  if (topic.charCodeAt(0) === DOLLAR) {
    const first = filter.charCodeAt(0);
    if (first === PLUS || first === HASH) return false; // [MQTT-4.7.2-1]
  }
  return matchPrefix(filter, topic, 0) === topic.length + 1;
}

/**
 * Matches all levels of `levels` (a filter or a piece of one, cut at a "/") with the levels of `topic` from index
 * `start` on. Returns the index at which the next level of the topic begins (`topic.length + 1` when none is left:
 * the topic ended together with `levels`, or a "#" took the rest), or {@link NO_MATCH}. Knows nothing of "$".
 */
export function matchPrefix(levels: string, topic: string, start: number): number {
  const end = topic.length;
  const size = levels.length;
  let i = 0;
  let at = start;
  for (;;) {
    const unit = levels.charCodeAt(i);
    if (unit === HASH) return end + 1;
    if (unit === PLUS) {
      i++;
      while (at < end && topic.charCodeAt(at) !== SLASH) at++;
    } else {
      while (i < size && at < end) {
        const want = levels.charCodeAt(i);
        if (want === SLASH || want !== topic.charCodeAt(at)) break;
        i++;
        at++;
      }
      if (i < size && levels.charCodeAt(i) !== SLASH) return NO_MATCH;
      if (at < end && topic.charCodeAt(at) !== SLASH) return NO_MATCH;
    }
    if (i >= size) return at + 1;
    i++;
    // "a/#" stands for "a" as well.
    if (at >= end) return levels.charCodeAt(i) === HASH ? end + 1 : NO_MATCH;
    at++;
  }
}
