// Values with the place where they were written. All styles, and plain objects, become such a tree before they are
// interpreted, so that every message can name file, line and key.
import type { Place } from "./diagnostic.ts";

export interface ScalarNode {
  readonly kind: "scalar";
  readonly value: string | number | boolean | null;
  /** The text as written, without quotes. */
  readonly text: string;
  /** The text comes from the environment: each field converts it to its own type. */
  readonly untyped: boolean;
  readonly place: Place;
}
export interface ListNode {
  readonly kind: "list";
  readonly items: readonly SourceNode[];
  readonly place: Place;
}
export interface MapEntry {
  readonly key: string;
  readonly place: Place;
  readonly value: SourceNode;
}
export interface MapNode {
  readonly kind: "map";
  readonly entries: readonly MapEntry[];
  readonly place: Place;
}
/** A value that only an embedding program can pass: a function, a class instance, a buffer. */
export interface OpaqueNode {
  readonly kind: "opaque";
  readonly value: unknown;
  readonly place: Place;
}
export type SourceNode = ScalarNode | ListNode | MapNode | OpaqueNode;

export const scalar = (value: ScalarNode["value"], place: Place, text: string = String(value)): ScalarNode => ({
  kind: "scalar",
  value,
  text,
  untyped: false,
  place,
});
export const list = (items: readonly SourceNode[], place: Place): ListNode => ({ kind: "list", items, place });
export const map = (entries: readonly MapEntry[], place: Place): MapNode => ({ kind: "map", entries, place });
export const entry = (key: string, value: SourceNode, place: Place = value.place): MapEntry => ({ key, place, value });

export const isEmpty = (node: SourceNode | undefined): boolean =>
  node === undefined || (node.kind === "scalar" && node.value === null);

/** The place of a key inside another; without a position of its own it has that of the parent. */
export const below = (place: Place, key: string | number): Place => ({
  ...place,
  key: place.key === "" ? String(key) : `${place.key}.${key}`,
});

export const lookUp = (node: SourceNode | undefined, key: string): SourceNode | undefined =>
  node?.kind === "map" ? node.entries.find((candidate) => candidate.key === key)?.value : undefined;

/** Describes a value after "got" in messages: `a number (30)`, `text ("abc")`. Long values are cut. */
export function describeNode(node: SourceNode): string {
  if (node.kind === "map") return "a mapping";
  if (node.kind === "list") return "a list";
  if (node.kind === "opaque") return `a ${typeof node.value}`;
  if (node.value === null) return "nothing";
  if (typeof node.value === "string") return JSON.stringify(shorten(node.value));
  return `${typeof node.value} ${shorten(node.text)}`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** The plain data of a node, as a YAML parser returns it. */
export function toPlain(node: SourceNode): unknown {
  switch (node.kind) {
    case "scalar":
    case "opaque":
      return node.value;
    case "list":
      return node.items.map(toPlain);
    case "map":
      return Object.fromEntries(node.entries.map((each) => [each.key, toPlain(each.value)]));
  }
}

/** The tree of a plain object; circular references become opaque nodes. */
export function fromPlain(
  value: unknown,
  place: Place = { key: "" },
  above: ReadonlySet<unknown> = new Set(),
): SourceNode {
  if (value === null || value === undefined) return scalar(null, place, "");
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return scalar(value, place);
  if (above.has(value)) return { kind: "opaque", value, place };
  const inside = new Set([...above, value]);
  if (Array.isArray(value)) {
    const items = value.map((item: unknown, index) => fromPlain(item, below(place, index), inside));
    return list(items, place);
  }
  if (!isPlainObject(value)) return { kind: "opaque", value, place };
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  return map(
    entries.map(([key, item]) => entry(key, fromPlain(item, below(place, key), inside))),
    place,
  );
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
