// The kinds of options that plugins need.
import { isMapping, type Option, type OptionIssue, type OptionPath, show } from "./option.ts";

/** `default` makes the option one that may be left out. */
export interface Default<T> {
  readonly default: T;
}

type Reader<T> = (value: unknown, path: OptionPath, issues: OptionIssue[]) => T | undefined;

function kind<T>(expected: string, reader: Reader<T>, given: Partial<Default<T>> | undefined): Option<T, T, boolean> {
  const fallback = given?.default;
  return {
    needed: fallback === undefined,
    expected,
    read(value, path, issues): T {
      if (value === undefined && fallback !== undefined) return fallback;
      const before = issues.length;
      const result = reader(value, path, issues);
      if (result === undefined && issues.length === before) {
        issues.push({ message: `expected ${expected}, got ${show(value)}`, path });
      }
      return result as T; // with an issue pushed nobody looks at it
    },
  };
}

export function string(): Option<string, string, true>;
export function string(given: Default<string>): Option<string, string, false>;
export function string(given?: Default<string>): Option<string, string> {
  return kind("a text", (value) => (typeof value === "string" ? value : undefined), given);
}

/** A secret or a name that must not be empty. */
export function text(): Option<string, string, true> {
  const reader: Reader<string> = (value) => (typeof value === "string" && value !== "" ? value : undefined);
  return kind("a text that is not empty", reader, undefined) as Option<string, string, true>;
}

export function boolean(): Option<boolean, boolean, true>;
export function boolean(given: Default<boolean>): Option<boolean, boolean, false>;
export function boolean(given?: Default<boolean>): Option<boolean, boolean> {
  return kind("true or false", (value) => (typeof value === "boolean" ? value : undefined), given);
}

export interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}
export function number(given?: NumberLimits): Option<number, number, true>;
export function number(given: NumberLimits & Default<number>): Option<number, number, false>;
export function number(given: NumberLimits & Partial<Default<number>> = {}): Option<number, number> {
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, integer = false } = given;
  const range = `${Number.isFinite(min) ? ` from ${min}` : ""}${Number.isFinite(max) ? ` up to ${max}` : ""}`;
  const fits = (value: unknown): value is number =>
    typeof value === "number" && value >= min && value <= max && (!integer || Number.isInteger(value));
  return kind(
    `${integer ? "a whole number" : "a number"}${range}`,
    (value) => (fits(value) ? value : undefined),
    given as Partial<Default<number>>,
  );
}

export function oneOf<const Word extends string>(words: readonly Word[]): Option<Word, Word, true>;
export function oneOf<const Word extends string>(
  words: readonly Word[],
  given: Default<NoInfer<Word>>,
): Option<Word, Word, false>;
export function oneOf<const Word extends string>(words: readonly Word[], given?: Default<Word>): Option<Word, Word> {
  const expected = `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return kind(expected, (value) => words.find((word) => word === value), given);
}

export function list<Input, Output>(item: Option<Input, Output>): Option<readonly Input[], readonly Output[], true> {
  const expected = `a list (each ${item.expected})`;
  return {
    needed: true,
    expected,
    read(value, path, issues): readonly Output[] {
      if (Array.isArray(value)) return value.map((part: unknown, i) => item.read(part, [...path, i], issues));
      issues.push({ message: `expected ${expected}, got ${show(value)}`, path });
      return [];
    },
  };
}

/** A mapping whose keys are the user's own. */
export function record<Input, Output>(
  item: Option<Input, Output>,
): Option<Readonly<Record<string, Input>>, ReadonlyMap<string, Output>, true> {
  return {
    needed: true,
    expected: `a mapping (each ${item.expected})`,
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

/** May be left out; the plugin then sees undefined. Null counts as left out, as an empty value in YAML. */
export function optional<Input, Output>(
  item: Option<Input, Output>,
): Option<Input | undefined, Output | undefined, false> {
  return {
    needed: false,
    expected: item.expected,
    read: (value, path, issues) => (value === undefined || value === null ? undefined : item.read(value, path, issues)),
  };
}

/** May be left out (or empty, as in YAML); the plugin then sees `value`. */
export function withDefault<Input, Output>(
  item: Option<Input, Output>,
  value: NoInfer<Output>,
): Option<Input, Output, false> {
  return {
    needed: false,
    expected: item.expected,
    read: (given, path, issues) => (given === undefined || given === null ? value : item.read(given, path, issues)),
  };
}

/** Any value that `read` accepts; `read` returns undefined for what it does not. */
export function custom<T>(expected: string, reader: (value: unknown) => T | undefined): Option<T, T, true> {
  return kind(expected, (value) => reader(value), undefined) as Option<T, T, true>;
}
