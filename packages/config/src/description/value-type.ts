// The contract of one kind of value: how it is read, written, shown to an editor and named in a message.
// Validation, defaults, JSON Schema, the key tables of the documentation and `describe` all come from these.
import type { Problems } from "../diagnostic.ts";
import { describeNode, type ScalarNode, type SourceNode } from "../source-node.ts";

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface WriteOptions {
  /** Replace secrets by `"********"`. */
  readonly mask: boolean;
}

export interface ValueType<T> {
  /** After "expected": `a duration such as 30s`. */
  readonly expected: string;
  readonly schema: JsonSchema;
  /**
   * The value, or undefined after the mistake was reported. Of a mapping with mistakes: what can be read, so that the
   * rest of the file can be looked at too. Whether there were mistakes, the problems say.
   */
  read(node: SourceNode, problems: Problems): T | undefined;
  /** The value is a path of something that has to exist. */
  readonly names?: "file" | "folder";
  /** The value as native plain data: `read(fromPlain(write(x)))` is `x`. */
  write(value: T, options: WriteOptions): unknown;
}

/** Reports `expected …, got …` and returns undefined. */
export function mismatch(node: SourceNode, expected: string, problems: Problems, hint = ""): undefined {
  return problems.error(node.place, `expected ${expected}, got ${describeNode(node)}${hint}`, expected);
}

/** A type for values written as one word: `parse` sees the scalar, undefined means "not one of mine". */
export function scalarType<T>(description: {
  readonly expected: string;
  readonly schema: JsonSchema;
  readonly parse: (node: ScalarNode) => T | undefined;
  readonly write?: (value: T, options: WriteOptions) => unknown;
  readonly hint?: (node: ScalarNode) => string;
  /** What is there must not be quoted in a message. */
  readonly secret?: boolean;
}): ValueType<T> {
  const { expected, schema, parse, hint, secret } = description;
  return {
    expected,
    schema,
    read(node, problems) {
      const value = node.kind === "scalar" ? parse(node) : undefined;
      if (value !== undefined) return value;
      if (secret) return problems.error(node.place, `expected ${expected} in quotes`, expected);
      return mismatch(node, expected, problems, node.kind === "scalar" ? hint?.(node) : "");
    },
    write: description.write ?? ((value) => value),
  };
}
