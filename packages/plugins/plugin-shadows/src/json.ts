// JSON values and the operations on them that shadows need. Objects are merged; every other value, arrays included, is
// a leaf.

export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}
/** What replaces each leaf. */
export interface Leaf {
  /** Epoch seconds. */
  readonly timestamp: number;
}
export interface Leaves {
  readonly [key: string]: Leaf | Leaves;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isEmpty(value: object): boolean {
  return Object.keys(value).length === 0;
}

/** Merges `patch` into `base`; null removes a key. */
export function merge(base: JsonObject, patch: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...base };
  for (const [key, value] of Object.entries(patch)) {
    const before = result[key];
    if (value === null) delete result[key];
    else if (isObject(value)) result[key] = merge(isObject(before) ? before : {}, value);
    else result[key] = value;
  }
  return result;
}

/**
 * The times of the leaves of `state` after a patch: `now` for those that the patch has set, the old times for the
 * others.
 */
export function mergeTimes(state: JsonObject, patch: JsonObject, before: Leaves, now: number): Leaves {
  const result: Record<string, Leaf | Leaves> = {};
  for (const [key, value] of Object.entries(state)) {
    const old = before[key];
    const changed = Object.hasOwn(patch, key) ? patch[key] : undefined;
    if (isObject(value)) {
      result[key] = mergeTimes(
        value,
        isObject(changed) ? changed : {},
        isLeaf(old) || old === undefined ? {} : old,
        now,
      );
    } else {
      result[key] = changed === undefined && isLeaf(old) ? old : { timestamp: now };
    }
  }
  return result;
}

/** The part of `desired` that differs from `reported`, at every depth, without nulls. */
export function delta(desired: JsonObject, reported: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, wanted] of Object.entries(desired)) {
    const actual = Object.hasOwn(reported, key) ? reported[key] : undefined;
    if (wanted === null || (actual !== undefined && equal(wanted, actual))) continue;
    result[key] = isObject(wanted) && isObject(actual) ? delta(wanted, actual) : wanted;
    const part = result[key];
    if (isObject(part) && isEmpty(part) && !(isObject(wanted) && isEmpty(wanted))) delete result[key];
  }
  return result;
}

/** The same for whole values of the first level, with null for what only `reported` has. */
export function iota(desired: JsonObject, reported: JsonObject): JsonObject {
  const result: Record<string, Json> = {};
  for (const [key, wanted] of Object.entries(desired)) {
    const actual = Object.hasOwn(reported, key) ? reported[key] : undefined;
    if (actual === undefined || !equal(wanted, actual)) result[key] = wanted;
  }
  for (const key of Object.keys(reported)) {
    if (!Object.hasOwn(desired, key)) result[key] = null;
  }
  return result;
}

/** The leaves of `times` that `state` has too. */
export function pick(times: Leaves, state: JsonObject): Leaves {
  const result: Record<string, Leaf | Leaves> = {};
  for (const [key, value] of Object.entries(state)) {
    const time = times[key];
    if (time === undefined) continue;
    result[key] = isObject(value) && !isLeaf(time) ? pick(time, value) : time;
  }
  return result;
}

function isLeaf(value: Leaf | Leaves | undefined): value is Leaf {
  return value !== undefined && typeof value["timestamp"] === "number";
}

function equal(one: Json, other: Json): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((part, index) => equal(part as Json, other[index] as Json));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && equal(one[key] as Json, other[key] as Json))
  );
}

/** Why a value from a client is not accepted; undefined: it is. */
export function mistakeIn(value: Json, deepest: number): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (deepest === 0) return "nested too deeply";
  for (const [key, part] of Object.entries(value)) {
    if (key === "__proto__") return 'the key "__proto__" is not allowed';
    const mistake = mistakeIn(part as Json, deepest - 1);
    if (mistake !== undefined) return mistake;
  }
  return undefined;
}
