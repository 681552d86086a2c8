// Types of options for the broker's tables, beyond those for plugins. An option that is left out is undefined; null is
// an error, as the code that uses the options does not expect it.
import type { Limit } from "@wrenmq/limits";
import { custom, isMapping, type Option } from "@wrenmq/plugin-api/options";

/** One entry for each key of a type: a key without an entry does not compile. */
export type FieldsOf<T> = { readonly [Key in keyof Required<T>]: Option<unknown, unknown> };

/** The keys of every type of a union. */
export type KeysOf<T> = T extends unknown ? keyof T : never;

/** Options are used as they were given, so other spellings of their keys are errors. */
export const EXACT: { readonly exact: true } = { exact: true };

export function maybe<Input, Output>(
  item: Option<Input, Output>,
): Option<Input | undefined, Output | undefined, false> {
  const { expected } = item;
  return {
    needed: false,
    expected,
    read: (value, path, issues) => (value === undefined ? undefined : item.read(value, path, issues)),
  };
}

/** A value that is used as it is. */
export function given(expected: string, fits: (value: unknown) => boolean): Option<unknown, unknown, true> {
  return custom<unknown>(expected, (value) => (fits(value) ? value : undefined));
}

/** An object with these methods. */
export function withMethods(what: string, ...names: readonly string[]): Option<unknown, unknown, true> {
  return given(`${what} (with ${names.map((name) => `${name}()`).join(", ")})`, (value) => {
    if (typeof value !== "object" || value === null) return false;
    return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
  });
}

export const aFunction: Option<unknown, unknown, true> = given("a function", (value) => typeof value === "function");

export interface NumberRange {
  /** Default 0. */
  readonly min?: number;
  /** Default: no bound. */
  readonly max?: number;
  /** Integers only. Default false. */
  readonly whole?: boolean;
  /** What 0 means, for messages. Default: nothing special. */
  readonly zero?: string;
}

export function numberOf(
  what: string,
  { min = 0, max = Number.POSITIVE_INFINITY, whole = false, zero = "" }: NumberRange = {},
): Option<unknown, unknown, true> {
  const upTo = Number.isFinite(max) && max !== Number.MAX_SAFE_INTEGER ? ` to ${max}` : "";
  const above = min === Number.MIN_VALUE ? " above 0" : ` from ${min}`;
  return given(
    `${what}${above}${upTo}${zero === "" ? "" : ` (0: ${zero})`}`,
    (value) => typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value)),
  );
}

export const wholeNumber = (max: number, zero?: string): Option<unknown, unknown, true> =>
  numberOf("a whole number", { max, whole: true, ...(zero === undefined ? {} : { zero }) });

const UNITS: Readonly<Record<Limit<unknown>["unit"], string>> = {
  count: "a whole number",
  bytes: "a whole number of bytes",
  milliseconds: "a number of milliseconds",
  seconds: "a number of seconds",
  "events per second": "a number per second",
  "bytes per second": "a number of bytes per second",
  flag: "true or false",
  choice: "",
};

/** The option for a limit of the table of limits. */
export function limitField({ unit, zero, minimum, maximum, choices }: Limit<unknown>): Option<unknown, unknown, true> {
  if (unit === "flag") return given(UNITS.flag, (value) => typeof value === "boolean");
  if (choices !== undefined) {
    const words = choices.map((one) => JSON.stringify(one)).join(", ");
    return given(`one of ${words}`, (value) => choices.includes(value));
  }
  const whole = unit === "count" || unit === "bytes";
  return numberOf(UNITS[unit], {
    min: minimum ?? (zero === undefined ? (whole ? 1 : Number.MIN_VALUE) : 0),
    max: maximum ?? (whole ? Number.MAX_SAFE_INTEGER : Number.POSITIVE_INFINITY),
    whole,
    ...(zero === undefined ? {} : { zero }),
  });
}

/** One value or a list. */
export function orList(item: Option<unknown, unknown>, what: string): Option<unknown, unknown, true> {
  return {
    needed: true,
    expected: what,
    read(value, path, issues) {
      if (!Array.isArray(value)) item.read(value, path, issues);
      else for (const [index, one] of value.entries()) item.read(one, [...path, index], issues);
      return value;
    },
  };
}

/** A mapping with keys of the user's choice. */
export function named(item: Option<unknown, unknown>, what: string): Option<unknown, unknown, true> {
  const expected = `a mapping of names to ${what}`;
  return {
    needed: true,
    expected,
    read(value, path, issues) {
      if (!isMapping(value)) given(expected, () => false).read(value, path, issues);
      else for (const [name, one] of Object.entries(value)) item.read(one, [...path, name], issues);
      return value;
    },
  };
}
