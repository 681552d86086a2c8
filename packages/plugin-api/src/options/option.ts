// Describes the options of a plugin, so that plugins need no schema library. Names are in camelCase here; users may
// also write "password-file" or "password_file".

import type { StandardResult, StandardSchema } from "../standard-schema.ts";
import type { About, Form } from "./form.ts";
import { didYouMean } from "./suggest.ts";

export type OptionPath = readonly (string | number)[];

export interface OptionIssue {
  readonly message: string;
  readonly path: OptionPath;
}

/** One option: checks a value of the user and converts it for the plugin. */
export interface Option<Input, Output = Input, Needed extends boolean = boolean> {
  /** Must it be given? */
  readonly needed: Needed;
  /** The expected value, for messages: "a number from 0 to 10". */
  readonly expected: string;
  /** How it is written in a configuration file. Default: any way. */
  readonly form?: Form;
  readonly about?: About;
  /** The value when it is left out. */
  readonly default?: unknown;
  /** Converts a value. Adds to `issues` what is wrong; then the result must not be used. */
  read(value: unknown, path: OptionPath, issues: OptionIssue[]): Output;
  /** For type inference only. */
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

/** The schema of a plugin's options without the types of its input, for exported constants. */
export type SchemaOf<Output> = StandardSchema<unknown, Output> & {
  readonly fields: Fields;
  readonly doc: string | undefined;
};

/** A plugin's options with defaults filled in; `Left` names those that may still be undefined. */
export type Settled<Options, Left extends keyof Options = never> = Required<Omit<Options, Left>> & {
  readonly [Key in Left]-?: Options[Key] | undefined;
};

type Check<F extends Fields> = (value: FieldsOutput<F>) => string | undefined;

/** How a group of options is read. */
export interface Rules<F extends Fields> {
  readonly doc?: string;
  readonly check?: Check<F>;
  /** Keys count only as they are written here: for options that are used as they were given. */
  readonly exact?: boolean;
  /** A hint for an unknown key that other software uses. */
  readonly foreign?: (key: string) => string | undefined;
}

/**
 * All options of a plugin (or a group of them), for `config` of `definePlugin`. Unknown keys are errors.
 *
 * `check` checks them together; it returns what is wrong, with "option: " in front if it is about one of them.
 */
export function options<const F extends Fields>(fields: F, given: Check<F> | Rules<F> = {}): OptionsSchema<F> {
  const rules: Rules<F> = typeof given === "function" ? { check: given } : given;
  const { check, doc } = rules;
  const needed = Object.values(fields).some((field) => field.needed);
  const read = (value: unknown, path: OptionPath, issues: OptionIssue[]): FieldsOutput<F> => {
    const before = issues.length;
    const result = readFields(fields, rules, value, path, issues) as FieldsOutput<F>;
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

function readFields(
  fields: Fields,
  { exact = false, foreign }: Pick<Rules<never>, "exact" | "foreign">,
  value: unknown,
  path: OptionPath,
  issues: OptionIssue[],
): Record<string, unknown> {
  const given = new Map<string, unknown>();
  if (!isMapping(value)) {
    if (value !== undefined && value !== null) issues.push({ message: `expected a mapping, got ${show(value)}`, path });
  } else {
    for (const [written, part] of Object.entries(value)) {
      const key = exact ? written : camelCase(written);
      if (!Object.hasOwn(fields, key)) {
        const what =
          foreign?.(written) ?? `unknown option${didYouMean(written, Object.keys(fields))}; ${known(fields)}`;
        issues.push({ message: what, path: [...path, written] });
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

/** Characters of a text that are shown: a whole PEM key would not help. */
const LONGEST_TEXT = 80;

/** A short description of the given value. */
export function show(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  if (typeof value === "object" && value !== null) return "a mapping";
  if (typeof value === "function") return "a function";
  if (typeof value !== "string") return String(value);
  return `"${value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value}"`;
}

/** `listeners.local.plugins[0]` */
export function pathOf(path: OptionPath): string {
  return path.reduce<string>((before, part) => {
    if (typeof part === "number") return `${before}[${part}]`;
    return before === "" ? part : `${before}.${part}`;
  }, "");
}

function camelCase(key: string): string {
  return key.replace(/[-_]([a-z0-9])/g, (_all, letter: string) => letter.toUpperCase());
}
