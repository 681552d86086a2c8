// A description of plugin options, small enough for a plugin to depend on nothing else. Keys are written in camelCase
// here and may be written "password-file" or "password_file" by the user.

import type { StandardResult, StandardSchema } from "../standard-schema.ts";
import type { About, Form } from "./form.ts";

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
  /** How it is written in a configuration file; without it: any way. */
  readonly form?: Form;
  readonly about?: About;
  /** What counts when it is left out. */
  readonly default?: unknown;
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
  StandardSchema<FieldsInput<F>, FieldsOutput<F>> & {
    readonly fields: F;
    /** What the plugin does, in one sentence. */
    readonly doc: string | undefined;
  };

/** The schema of a plugin where only what comes out of it counts: what an exported one is declared as. */
export type SchemaOf<Output> = StandardSchema<unknown, Output> & {
  readonly fields: Fields;
  readonly doc: string | undefined;
};

/** The options of a plugin when defaults have been filled in; `Left` names those that may still be missing. */
export type Settled<Options, Left extends keyof Options = never> = Required<Omit<Options, Left>> & {
  readonly [Key in Left]-?: Options[Key] | undefined;
};

type Check<F extends Fields> = (value: FieldsOutput<F>) => string | undefined;

/**
 * All options of a plugin (or a group of them): usable as `config` of `definePlugin`. Unknown keys are mistakes.
 *
 * `check` looks at all of them together; what it returns is wrong with them, after "option: " if it is about one.
 */
export function options<const F extends Fields>(
  fields: F,
  given: Check<F> | { readonly doc?: string; readonly check?: Check<F> } = {},
): OptionsSchema<F> {
  const { check, doc } = typeof given === "function" ? { check: given, doc: undefined } : given;
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
    fields,
    doc,
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
          message: `unknown option; ${known(fields)}`,
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

function known(fields: Fields): string {
  const names = Object.keys(fields);
  return names.length === 0 ? "there are none" : `known are ${names.join(", ")}`;
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
