import { HASH, NUL, PLUS, SLASH } from "./characters.ts";
import { type TopicLimits, withinLimits } from "./topic-limits.ts";

const SHARE_PREFIX = "$share/";

/** The two parts of a shared subscription's filter, "$share/<group>/<filter>" (MQTT 5.0, section 4.8.2). */
export interface SharedFilter {
  readonly group: string;
  /** What topics are matched with: an ordinary, valid topic filter. */
  readonly filter: string;
}

/**
 * Whether `filter` may stand in a SUBSCRIBE: one character or more, "+" alone in its level, "#" alone in the last
 * level, no U+0000 (section 4.7); what begins with "$share/" must be a valid shared filter too (section 4.8.2).
 * `maxLevels` of a shared filter counts the levels after the group.
 */
export function isTopicFilter(filter: string, limits?: TopicLimits): boolean {
  const shared = parseShared(filter, limits);
  return shared === undefined ? isPlainFilter(filter, 0, limits) : shared !== "invalid";
}

/**
 * The parts of a shared filter; `undefined` when the filter does not begin with "$share/" (it is then not checked any
 * further); "invalid" when it does, but breaks the rules of section 4.8.2 – a shared filter inside a shared one
 * included, since the part after the group is what a non-shared subscription would use.
 */
export function parseShared(filter: string, limits?: TopicLimits): SharedFilter | "invalid" | undefined {
  if (!filter.startsWith(SHARE_PREFIX)) return undefined;
  const groupEnd = filter.indexOf("/", SHARE_PREFIX.length);
  if (groupEnd <= SHARE_PREFIX.length) return "invalid"; // [MQTT-4.8.2-1]
  for (let i = SHARE_PREFIX.length; i < groupEnd; i++) {
    const unit = filter.charCodeAt(i);
    if (unit === PLUS || unit === HASH || unit === NUL) return "invalid"; // [MQTT-4.8.2-2]
  }
  const start = groupEnd + 1;
  if (filter.startsWith(SHARE_PREFIX, start) || !isPlainFilter(filter, start, limits)) return "invalid";
  return { group: filter.slice(SHARE_PREFIX.length, groupEnd), filter: filter.slice(start) };
}

/** Is it the filter of a shared subscription, valid or not? (MQTT 5.0, section 4.8.2) */
export function isShared(filter: string): boolean {
  return filter.startsWith(SHARE_PREFIX);
}

/** What topics are matched with: the filter itself, without the group if it is a valid shared one. */
export function unsharedFilter(filter: string): string {
  const shared = parseShared(filter);
  return shared === undefined || shared === "invalid" ? filter : shared.filter;
}

/** The rules of section 4.7 for the text from `start` on. */
function isPlainFilter(filter: string, start: number, limits: TopicLimits | undefined): boolean {
  if (start >= filter.length) return false; // [MQTT-4.7.3-1]
  if (filter.includes("\0", start)) return false; // [MQTT-4.7.3-2]
  const last = filter.length - 1;
  const hash = filter.indexOf("#", start);
  if (hash >= 0 && (hash !== last || !beginsLevel(filter, hash, start))) return false;
  for (let plus = filter.indexOf("+", start); plus >= 0; plus = filter.indexOf("+", plus + 1)) {
    if (!beginsLevel(filter, plus, start)) return false;
    if (plus < last && filter.charCodeAt(plus + 1) !== SLASH) return false;
  }
  return withinLimits(filter, start, limits);
}

function beginsLevel(filter: string, at: number, start: number): boolean {
  return at === start || filter.charCodeAt(at - 1) === SLASH;
}
