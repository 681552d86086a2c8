// Questions about two filters, answered level by level; no topics are tried.
// Both filters are valid and plain: take the part after the group of a shared filter.
// The wildcards of the first level leave out "$…" [MQTT-4.7.2-1]; those of later levels do not.
import { DOLLAR, HASH, levelEnd, PLUS } from "./characters.ts";

/**
 * Whether every topic that `inner` matches is matched by `outer` too, e.g. to decide whether a permission for `outer`
 * covers a subscription to `inner`. Exact: `"#"` does not contain `"$SYS/#"`, `"+/#"` does contain `"#"`, `"a/+/#"`
 * does not contain `"a/#"`, which matches "a".
 */
export function filterContains(outer: string, inner: string): boolean {
  return containsSpelledOut(outer, spelledOut(inner));
}

function containsSpelledOut(outer: string, inner: string): boolean {
  let o = 0;
  let i = 0;
  for (;;) {
    if (outer.charCodeAt(o) === HASH) return o > 0 || inner.charCodeAt(0) !== DOLLAR;
    // `inner` also matches the topic that ends before this level, and `outer` wants one more.
    if (inner.charCodeAt(i) === HASH) return false;
    const outerEnd = levelEnd(outer, o);
    const innerEnd = levelEnd(inner, i);
    if (outer.charCodeAt(o) === PLUS) {
      if (o === 0 && inner.charCodeAt(0) === DOLLAR) return false;
    } else if (!sameLevel(outer, o, outerEnd, inner, i, innerEnd)) {
      return false; // also a "+" of inner where outer has a literal level
    }
    const outerDone = outerEnd === outer.length;
    const innerDone = innerEnd === inner.length;
    if (outerDone) return innerDone;
    o = outerEnd + 1;
    if (innerDone) return outer.charCodeAt(o) === HASH;
    i = innerEnd + 1;
  }
}

/** Whether some topic is matched by both filters. */
export function filtersOverlap(a: string, b: string): boolean {
  return overlapSpelledOut(spelledOut(a), spelledOut(b));
}

function overlapSpelledOut(a: string, b: string): boolean {
  let i = 0;
  let j = 0;
  for (;;) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(j);
    const wild = left === PLUS || left === HASH || right === PLUS || right === HASH;
    if (wild && i === 0 && (left === DOLLAR || right === DOLLAR)) return false;
    if (left === HASH || right === HASH) return true;
    const aEnd = levelEnd(a, i);
    const bEnd = levelEnd(b, j);
    if (!wild && !sameLevel(a, i, aEnd, b, j, bEnd)) return false;
    const aDone = aEnd === a.length;
    const bDone = bEnd === b.length;
    i = aEnd + 1;
    j = bEnd + 1;
    if (aDone) return bDone || b.charCodeAt(j) === HASH;
    if (bDone) return a.charCodeAt(i) === HASH;
  }
}

/**
 * The same topics in a spelling where "#" simply means "and whatever follows, if anything": a topic has at least one
 * level, so "#" is "+/#"; and at least one character, so the level above in "/#" does not count: it is "/+/#".
 */
function spelledOut(filter: string): string {
  if (filter === "#") return "+/#";
  return filter === "/#" ? "/+/#" : filter;
}

function sameLevel(a: string, aStart: number, aEnd: number, b: string, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) {
    if (a.charCodeAt(i) !== b.charCodeAt(j)) return false;
  }
  return true;
}
