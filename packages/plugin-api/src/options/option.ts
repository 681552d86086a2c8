// A description of plugin options, small enough for a plugin to depend on nothing else. Keys are written in camelCase
// here and may be written "password-file" or "password_file" by the user.
import type { StandardResult, StandardSchema } from "../standard-schema.ts";

export type OptionPath = readonly (string | number)[];

export interface OptionIssue {
  readonly message: string;
  readonly path: OptionPath;
}

/** One option: how a value of the user becomes a value for the plugin. */
export interface Option<Input, Output = Input, Needed extends boolean = boolean> {
  /** Must the user give it? */
  readonly needed: Needed;
  /** What it is, for messages: "a number from 0 to 10". */
  readonly expected: string;
  /** Pushes what is wrong to `issues`; the result counts only when nothing was pushed. */
  read(value: unknown, path: OptionPath, issues: OptionIssue[]): Output;
  /** Only for the types. */
  readonly input?: Input;
}

export type InputOf<One> = One extends Option<infer Input, infer _Output> ? Input : never;
export type OutputOf<One> = One extends Option<infer _Input, infer Output> ? Output : never;

export type Fields = Readonly<Record<string, Option<unknown, unknown>>>;
type NeededKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends Option<unknown, unknown, true> ? K : never;
}[keyof F];

export type FieldsInput<F extends Fields> = { readonly [K in NeededKeys<F>]: InputOf<F[K]> } & {
  readonly [K in Exclude<keyof F, NeededKeys<F>>]?: InputOf<F[K]> | undefined;
};
export type FieldsOutput<F extends Fields> = { readonly [K in keyof F]: OutputOf<F[K]> };

export type OptionsSchema<F extends Fields> = Option<FieldsInput<F>, FieldsOutput<F>> &
  StandardSchema<FieldsInput<F>, FieldsOutput<F>>;

/** All options of a plugin (or a group of them): usable as `config` of `definePlugin`. Unknown keys are mistakes. */
export function options<const F extends Fields>(
  fields: F,
  check?: (value: FieldsOutput<F>) => string | undefined,
): OptionsSchema<F> {
  const needed = Object.values(fields).some((field) => field.needed);
  const read = (value: unknown, path: OptionPath, issues: OptionIssue[]): FieldsOutput<F> => {
    const before = issues.length;
    const result = readFields(fields, value, path, issues) as FieldsOutput<F>;
    const wrong = issues.length === before ? check?.(result) : undefined;
    if (wrong !== undefined) issues.push({ message: wrong, path });
    return result;
  };
  return {
    needed,
    expected: "a mapping",
    read,
    "~standard": {
      version: 1,
      vendor: "wrenmq",
      validate(value: unknown): StandardResult<FieldsOutput<F>> {
        const issues: OptionIssue[] = [];
        const result = read(value, [], issues);
        return issues.length === 0 ? { value: result } : { issues };
      },
    },
  };
}

function readFields(fields: Fields, value: unknown, path: OptionPath, issues: OptionIssue[]): Record<string, unknown> {
  const given = new Map<string, unknown>();
  if (!isMapping(value)) {
    if (value !== undefined && value !== null) issues.push({ message: `expected a mapping, got ${show(value)}`, path });
  } else {
    for (const [written, part] of Object.entries(value)) {
      const key = camelCase(written);
      if (!Object.hasOwn(fields, key)) {
        issues.push({
          message: `unknown option; known are ${Object.keys(fields).join(", ")}`,
          path: [...path, written],
        });
      } else if (given.has(key)) {
        issues.push({ message: "given twice in different spellings", path: [...path, written] });
      } else {
        given.set(key, part);
      }
    }
  }
  const result: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    const part = given.get(key);
    if (part === undefined && field.needed) {
      issues.push({ message: `is missing; expected ${field.expected}`, path: [...path, key] });
      continue;
    }
    result[key] = field.read(part, [...path, key], issues);
  }
  return result;
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object" && value !== null) return "a mapping";
  return typeof value === "string" ? `"${value}"` : String(value);
}

function camelCase(key: string): string {
  return key.replace(/[-_]([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
