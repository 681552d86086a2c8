// Types of options, for `options()`.
import type { Form } from "./form.ts";
import { isMapping, type Option, type OptionIssue, type OptionPath, show } from "./option.ts";
import { didYouMean } from "./suggest.ts";

/** With `default` the option may be left out. */
export interface Default<T> {
  readonly default: T;
}

type Reader<T> = (value: unknown, path: OptionPath, issues: OptionIssue[]) => T | undefined;

function kind<T>(
  expected: string,
  form: Form,
  reader: Reader<T>,
  given: Partial<Default<T>> | undefined,
): Option<T, T, boolean> {
  const fallback = given?.default;
  return {
    needed: fallback === undefined,
    expected,
    form,
    ...(fallback === undefined ? {} : { default: fallback }),
    read(value, path, issues): T {
      if (value === undefined && fallback !== undefined) return fallback;
      const before = issues.length;
      const result = reader(value, path, issues);
      if (result === undefined && issues.length === before) {
        const got = form.kind === "secret" || form.kind === "secret-url" ? kindOf(value) : show(value);
        const hint = form.kind === "choice" && typeof value === "string" ? didYouMean(value, form.words) : "";
        issues.push({ message: `expected ${expected}, got ${got}${hint}`, path });
      }
      return result as T; // the value is not used when there is an issue
    },
  };
}

/** Of a secret: what it is, not what is in it. */
function kindOf(value: unknown): string {
  const isShown = value === "" || !["string", "number", "boolean"].includes(typeof value);
  return isShown ? show(value) : `a ${typeof value}`;
}

export function string(): Option<string, string, true>;
export function string(given: Default<string>): Option<string, string, false>;
export function string(given?: Default<string>): Option<string, string> {
  return kind(
    "a text",
    { kind: "text", what: "text" },
    (value) => (typeof value === "string" ? value : undefined),
    given,
  );
}

const notEmpty: Reader<string> = (value) => (typeof value === "string" && value !== "" ? value : undefined);

/**
 * A text that is not empty.
 * @param what what it is, for configuration files: "a host name"
 */
export function text(what?: string): Option<string, string, true>;
export function text(what: string, given: Default<string>): Option<string, string, false>;
export function text(what = "text", given?: Default<string>): Option<string, string> {
  return kind("a text that is not empty", { kind: "text", what }, notEmpty, given);
}

/** A text that is never printed. */
export function secret(): Option<string, string, true> {
  return kind("a text that is not empty", { kind: "secret" }, notEmpty, undefined) as Option<string, string, true>;
}

/** A URL that may contain a password, which is never printed. */
export function secretUrl(what: string): Option<string, string, true> {
  const form: Form = { kind: "secret-url", what };
  return kind("a text that is not empty", form, notEmpty, undefined) as Option<string, string, true>;
}

/** The path of an existing file; in a configuration file relative to the folder of that file. */
export function filePath(): Option<string, string, true> {
  return kind("the path of a file", { kind: "file" }, notEmpty, undefined) as Option<string, string, true>;
}

export function boolean(): Option<boolean, boolean, true>;
export function boolean(given: Default<boolean>): Option<boolean, boolean, false>;
export function boolean(given?: Default<boolean>): Option<boolean, boolean> {
  return kind("true or false", { kind: "flag" }, (value) => (typeof value === "boolean" ? value : undefined), given);
}

export interface NumberLimits {
  /** Default: no bound. */
  readonly min?: number;
  /** Default: no bound. */
  readonly max?: number;
  /** Default false. */
  readonly integer?: boolean;
}
export function number(given?: NumberLimits): Option<number, number, true>;
export function number(given: NumberLimits & Default<number>): Option<number, number, false>;
export function number(given: NumberLimits & Partial<Default<number>> = {}): Option<number, number> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = given;
  const range = `${Number.isFinite(min) ? ` from ${min}` : ""}${Number.isFinite(max) ? ` up to ${max}` : ""}`;
  const fits = (value: unknown): value is number =>
    typeof value === "number" && value >= min && value <= max && (!integer || Number.isInteger(value));
  const form: Form =
    integer && Number.isFinite(min) && Number.isFinite(max) ? { kind: "integer", min, max } : { kind: "any" };
  return kind(
    `${integer ? "a whole number" : "a number"}${range}`,
    form,
    (value) => (fits(value) ? value : undefined),
    given as Partial<Default<number>>,
  );
}

type Amount = { readonly min?: number; readonly max?: number; readonly default: number };

function amount(
  expected: string,
  form: Form,
  { min = 0, max = Number.POSITIVE_INFINITY, default: fallback }: Amount,
  integer = false,
): Option<number, number, false> {
  const reader: Reader<number> = (value) =>
    typeof value === "number" && value >= min && value <= max && (!integer || Number.isInteger(value))
      ? value
      : undefined;
  const range = `${min > 0 ? ` from ${min}` : ""}${Number.isFinite(max) ? ` up to ${max}` : ""}`;
  return kind(`${expected}${range}`, form, reader, { default: fallback }) as Option<number, number, false>;
}

/** A duration in seconds; in a configuration file with its unit. With `min` above 0 it must not be zero. */
export function seconds(given: Amount): Option<number, number, false> {
  return amount("a number of seconds", { kind: "duration", unit: "s", positive: (given.min ?? 0) > 0 }, given);
}

/** A duration in milliseconds; in a configuration file with its unit. */
export function milliseconds(given: Amount): Option<number, number, false> {
  return amount("a number of milliseconds", { kind: "duration", unit: "ms", positive: (given.min ?? 0) > 0 }, given);
}

/** A size in bytes; in a configuration file with its unit. */
export function bytes(given: Amount): Option<number, number, false> {
  return amount("a number of bytes", { kind: "size", min: given.min ?? 0 }, given, true);
}

/** A whole number from 0; in a configuration file 0 may be written as `unlimited`. */
export function count(given: Default<number>): Option<number, number, false>;
export function count(): Option<number, number, true>;
export function count(given?: Default<number>): Option<number, number> {
  const reader: Reader<number> = (value) =>
    Number.isInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
  return kind("a whole number from 0", { kind: "count" }, reader, given);
}

/**
 * Adds documentation to the option.
 * @param key key in configuration files; default: made of the option's name
 */
export function about<One extends Option<unknown, unknown>>(doc: string, option: One, key?: string): One {
  return { ...option, about: key === undefined ? { doc } : { doc, key } };
}

export function oneOf<const Word extends string>(words: readonly Word[]): Option<Word, Word, true>;
export function oneOf<const Word extends string>(
  words: readonly Word[],
  given: Default<NoInfer<Word>>,
): Option<Word, Word, false>;
export function oneOf<const Word extends string>(words: readonly Word[], given?: Default<Word>): Option<Word, Word> {
  const expected = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return kind(expected, { kind: "choice", words }, (value) => words.find((word) => word === value), given);
}

/** @param what what it is, for configuration files: "a list of topics" */
export function list<Input, Output>(
  item: Option<Input, Output>,
  what?: string,
): Option<readonly Input[], readonly Output[], true> {
  const expected = `a list (each ${item.expected})`;
  return {
    needed: true,
    expected,
    form: { kind: "list", item: item.form ?? { kind: "any" }, what },
    read(value, path, issues): readonly Output[] {
      if (Array.isArray(value)) return value.map((part: unknown, i) => item.read(part, [...path, i], issues));
      issues.push({ message: `expected ${expected}, got ${show(value)}`, path });
      return [];
    },
  };
}

/** A mapping with keys of the user's choice. */
export function record<Input, Output>(
  item: Option<Input, Output>,
  what?: string,
): Option<Readonly<Record<string, Input>>, ReadonlyMap<string, Output>, true> {
  return {
    needed: true,
    expected: `a mapping (each ${item.expected})`,
    form: { kind: "map", item: item.form ?? { kind: "any" }, what },
    read(value, path, issues): ReadonlyMap<string, Output> {
      const result = new Map<string, Output>();
      if (!isMapping(value)) {
        issues.push({ message: `expected a mapping, got ${show(value)}`, path });
        return result;
      }
      for (const [key, part] of Object.entries(value)) result.set(key, item.read(part, [...path, key], issues));
      return result;
    },
  };
}

/** May be left out; the plugin then gets undefined. Null counts as left out, as an empty value in YAML. */
export function optional<Input, Output>(
  item: Option<Input, Output>,
): Option<Input | undefined, Output | undefined, false> {
  return {
    needed: false,
    expected: item.expected,
    ...(item.form === undefined ? {} : { form: item.form }),
    read: (value, path, issues) => (value === undefined || value === null ? undefined : item.read(value, path, issues)),
  };
}

/** May be left out (or empty, as in YAML); the plugin then gets `value`. */
export function withDefault<Input, Output>(
  item: Option<Input, Output>,
  value: NoInfer<Output>,
): Option<Input, Output, false> {
  return {
    needed: false,
    expected: item.expected,
    default: value,
    ...(item.form === undefined ? {} : { form: item.form }),
    read: (given, path, issues) => (given === undefined || given === null ? value : item.read(given, path, issues)),
  };
}

/** Any value that `reader` accepts; it returns undefined for all others. */
export function custom<T>(expected: string, reader: (value: unknown) => T | undefined): Option<T, T, true> {
  return kind(expected, { kind: "text", what: expected }, (value) => reader(value), undefined) as Option<T, T, true>;
}
