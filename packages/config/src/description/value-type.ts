// The contract of a type of values: how it is read, written, described to an editor and named in messages. Validation,
// defaults, JSON Schema, the tables in the documentation and `describe` are all made from it.
import type { Problems } from "../diagnostic.ts";
import { describeNode, type ScalarNode, type SourceNode } from "../source-node.ts";

/** A JSON Schema (draft 2020-12) as plain data. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface WriteOptions {
  /** Replace secrets by `"********"`. */
  readonly mask: boolean;
}

export interface ValueType<T> {
  /** The expected value, for messages: `a duration such as 30s`. */
  readonly expected: string;
  readonly schema: JsonSchema;
  /**
   * Reads a value. Errors are added to `problems`; whether there were any, only these show. After errors the result is
   * undefined, or, of a mapping, what could be read, so that the rest of the file can be checked too.
   */
  read(node: SourceNode, problems: Problems): T | undefined;
  /** The value is the path of something that must exist. */
  readonly names?: "file" | "folder";
  /** The value as native plain data: `read(fromPlain(write(x)))` is `x`. */
  write(value: T, options: WriteOptions): unknown;
}

/** Reports `expected …, got …` and returns undefined. */
export function mismatch(node: SourceNode, expected: string, problems: Problems, hint = ""): undefined {
  return problems.error(node.place, `expected ${expected}, got ${describeNode(node)}${hint}`, expected);
}

/** A type of values written as one word. `parse` gets the scalar and returns undefined for invalid ones. */
export function scalarType<T>(description: {
  readonly expected: string;
  readonly schema: JsonSchema;
  readonly parse: (node: ScalarNode) => T | undefined;
  readonly write?: (value: T, options: WriteOptions) => unknown;
  readonly hint?: (node: ScalarNode) => string;
  /** The value must not be quoted in messages. */
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
