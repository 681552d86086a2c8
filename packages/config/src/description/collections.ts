// Types of values: lists and mappings of one type, and values that are passed on without checks.
import { fromPlain, toPlain } from "../source-node.ts";
import { MASK } from "./scalars.ts";
import { mismatch, type ValueType, type WriteOptions } from "./value-type.ts";

export function listOf<T>(item: ValueType<T>, expected = "a list"): ValueType<T[]> {
  return {
    expected,
    schema: { type: "array", items: item.schema },
    read(node, problems) {
      if (node.kind !== "list") return mismatch(node, expected, problems);
      const values = node.items.map((each) => item.read(each, problems));
      return values.every((value) => value !== undefined) ? values : undefined;
    },
    write: (values, options) => values.map((value) => item.write(value, options)),
  };
}

export function mapOf<T>(item: ValueType<T>, expected = "a mapping"): ValueType<Record<string, T>> {
  return {
    expected,
    schema: { type: "object", additionalProperties: item.schema },
    read(node, problems) {
      if (node.kind !== "map") return mismatch(node, expected, problems);
      const pairs = node.entries.map((each) => [each.key, item.read(each.value, problems)] as const);
      const good = pairs.filter((pair): pair is readonly [string, T] => pair[1] !== undefined);
      return good.length === pairs.length ? Object.fromEntries(good) : undefined;
    },
    write: (values, options) =>
      Object.fromEntries(Object.entries(values).map(([key, value]) => [key, item.write(value, options)])),
  };
}

/** A mapping that is passed on as it is written, for a plugin to check; keys that look like secrets are masked. */
export const anyMap: ValueType<Record<string, unknown>> = {
  expected: "a mapping",
  schema: { type: "object" },
  read: (node, problems) =>
    node.kind === "map" ? (toPlain(node) as Record<string, unknown>) : mismatch(node, "a mapping", problems),
  write: (value, options) => writeAnything(value, options),
};

const SECRET_KEY = /pass(word|phrase)?$|secret|token$|private.?key|credential/i;

function writeAnything(value: unknown, options: WriteOptions): unknown {
  const node = fromPlain(value);
  if (node.kind === "opaque") return `<${typeof value}>`;
  if (Array.isArray(value)) return value.map((each: unknown) => writeAnything(each, options));
  if (node.kind !== "map") return value;
  return Object.fromEntries(
    node.entries.map(({ key, value: below }) => [
      key,
      options.mask && SECRET_KEY.test(key) ? MASK : writeAnything(toPlain(below), options),
    ]),
  );
}
