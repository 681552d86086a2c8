// Types of values: texts, numbers, choices, paths.
import { dirname, resolve } from "node:path";
import { didYouMean } from "@wrenmq/plugin-api/options";
import type { ScalarNode } from "../source-node.ts";
import { scalarType, type ValueType } from "./value-type.ts";

export const MASK = "********";

const textOf = (node: ScalarNode): string | undefined => {
  if (typeof node.value === "string") return node.value;
  return node.untyped && node.value !== null ? node.text : undefined;
};
const quoteIt = (node: ScalarNode): string =>
  typeof node.value === "number" || typeof node.value === "boolean" ? ` (put it in quotes)` : "";

export const text = (expected = "text"): ValueType<string> =>
  scalarType({ expected, schema: { type: "string" }, parse: textOf, hint: quoteIt });

/** Text that `describe` masks. */
export const secret = (expected = "text"): ValueType<string> =>
  scalarType({
    expected,
    schema: { type: "string" },
    parse: textOf,
    secret: true,
    write: (value, { mask }) => (mask ? MASK : value),
  });

/** A URL whose password `describe` masks. */
export const secretUrl = (expected: string): ValueType<string> =>
  scalarType({
    expected,
    schema: { type: "string" },
    parse: textOf,
    secret: true,
    write: (value, { mask }) => (mask ? value.replace(/(:\/\/[^/@:]*:)[^@]*@/, `$1${MASK}@`) : value),
  });

/** Text that matches a pattern as a whole. */
export const pattern = (expected: string, shape: RegExp): ValueType<string> =>
  scalarType({
    expected,
    schema: { type: "string", pattern: `^(?:${shape.source})$` },
    parse: (node) => {
      const found = textOf(node);
      return found !== undefined && new RegExp(`^(?:${shape.source})$`, shape.flags).test(found) ? found : undefined;
    },
  });

/** A file or folder; relative paths are relative to the folder of the file that has them. `made`: it need not exist. */
export const path = (what: "file" | "folder" | "made" = "file"): ValueType<string> => ({
  ...scalarType({
    expected: `the path of a ${what === "file" ? "file" : "folder"}`,
    schema: { type: "string", minLength: 1 },
    parse: (node) => {
      const found = textOf(node);
      return found ? resolvePath(found, node.place.file) : undefined;
    },
  }),
  ...(what === "made" ? {} : { names: what }),
});

export const resolvePath = (written: string, file: string | undefined): string =>
  file === undefined ? written : resolve(dirname(file), written);

/** The boolean that YAML 1.1 makes of a word, in any case; undefined for other words. */
export function flagWord(word: string): boolean | undefined {
  const lower = word.trim().toLowerCase();
  if (["true", "on", "yes"].includes(lower)) return true;
  return ["false", "off", "no"].includes(lower) ? false : undefined;
}

/** Quoted words are flags in the old files too, as Python compared texts; so are words from the environment. */
export const flag: ValueType<boolean> = scalarType({
  expected: "true or false",
  schema: { type: "boolean" },
  parse: (node) => {
    if (typeof node.value === "boolean") return node.value;
    return node.untyped && typeof node.value === "string" ? flagWord(node.value) : undefined;
  },
  hint: ({ value }) => {
    const meant = typeof value === "string" ? flagWord(value) : undefined;
    return meant === undefined ? "" : ` (write ${meant}, without quotes: YAML 1.2 has no other word for it)`;
  },
});

export function integer(minimum: number, maximum: number): ValueType<number> {
  return scalarType({
    expected: `a whole number from ${minimum} to ${maximum}`,
    schema: { type: "integer", minimum, maximum },
    parse: ({ value }) =>
      typeof value === "number" && Number.isInteger(value) && value >= minimum && value <= maximum ? value : undefined,
  });
}

/** A count where 0 (or the word `unlimited`) means no limit. */
export const count: ValueType<number> = scalarType({
  expected: "a whole number, or unlimited",
  schema: { anyOf: [{ type: "integer", minimum: 0 }, { const: "unlimited" }] },
  parse: ({ value }) => {
    if (value === "unlimited") return 0;
    return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
  },
  write: (value) => (value === 0 ? "unlimited" : value),
});

export function choice<const T extends string | number>(values: readonly T[]): ValueType<T> {
  const expected = values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(", ")} or ${values.at(-1)}`;
  return scalarType<T>({
    expected,
    schema: { enum: [...values] },
    parse: ({ value, text: written, untyped }) =>
      values.find((each) => each === value || (untyped && each === written)),
    hint: ({ text: written }) => didYouMean(written, values.map(String)),
  });
}
