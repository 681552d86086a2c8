// Converts words (a query, options of the command line) to input of a command, by its schema. A word that cannot be
// converted stays as it is, so that the schema reports what is wrong.
import { z } from "zod";
import type { AnyCommand } from "./define-command.ts";

export interface FieldDescription {
  readonly name: string;
  readonly kind: "text" | "number" | "flag" | "list";
  readonly required: boolean;
  readonly description: string | undefined;
  readonly default: unknown;
  readonly choices: readonly (string | number)[] | undefined;
}

interface PropertySchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly (string | number)[];
  readonly const?: number | string;
  readonly anyOf?: readonly PropertySchema[];
}

export function jsonSchemaOf(schema: z.ZodType, io: "input" | "output"): Record<string, unknown> {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: "any" });
  return rest;
}

/** The fields of a command's input. */
export function fieldsOf(command: AnyCommand): FieldDescription[] {
  const { properties = {}, required = [] } = jsonSchemaOf(command.input, "input") as {
    properties?: Record<string, PropertySchema>;
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    kind: kindOf(schema),
    required: required.includes(name),
    description: schema.description,
    default: schema.default,
    choices: choicesOf(schema),
  }));
}

function kindOf({ type, anyOf = [], const: only }: PropertySchema): FieldDescription["kind"] {
  if (type === "integer" || type === "number" || typeof only === "number") return "number";
  if (type === "boolean") return "flag";
  if (type === "array" || type === "object") return "list";
  const [first] = anyOf;
  return first === undefined ? "text" : kindOf(first);
}

function choicesOf({ enum: words, anyOf = [] }: PropertySchema): readonly (string | number)[] | undefined {
  if (words !== undefined) return words;
  const constants = anyOf.flatMap(({ const: only }) => (only === undefined ? [] : [only]));
  return constants.length > 0 ? constants : undefined;
}

export function inputFromWords(command: AnyCommand, words: Iterable<readonly [name: string, word: string]>): object {
  const kinds = new Map(fieldsOf(command).map(({ name, kind }) => [name, kind]));
  return Object.fromEntries([...words].map(([name, word]) => [name, valueFrom(word, kinds.get(name))]));
}

function valueFrom(word: string, kind: FieldDescription["kind"] | undefined): unknown {
  if (kind === "number") return /^-?\d+(?:\.\d+)?$/.test(word) ? Number(word) : word;
  if (kind === "flag") return word === "" || word === "true" ? true : word === "false" ? false : word;
  if (kind !== "list") return word;
  try {
    return JSON.parse(word) as unknown;
  } catch {
    return word;
  }
}
