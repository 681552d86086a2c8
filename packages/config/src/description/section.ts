// A mapping with known keys. Reading, defaults, JSON Schema and documentation are all made from the table of its
// fields.
import { nearestWord } from "@wrenmq/plugin-api/options";
import type { Problems } from "../diagnostic.ts";
import { below, isEmpty, type MapNode, map, type SourceNode } from "../source-node.ts";
import { type JsonSchema, mismatch, type ValueType, type WriteOptions } from "./value-type.ts";

export interface Field<T> {
  /** One or two sentences for the documentation and for editors. */
  readonly doc: string;
  readonly type: ValueType<T>;
  /** Key in the file. Default: the property's name in snake_case. */
  readonly key?: string;
  readonly default?: T;
  readonly required?: boolean;
}

/** A field for each property, of the property's type: the compiler checks that none is missing. */
export type Fields<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

export interface Section<T> extends ValueType<T> {
  readonly doc: string;
  readonly fields: Fields<T>;
  /** The value of an empty mapping; only for sections without required fields. */
  defaults(): T;
  /** The same fields (without some), all optional and without defaults. */
  partial(without?: readonly (keyof T)[]): ValueType<Partial<T>>;
}

interface AnyField extends Field<unknown> {
  readonly key: string;
  readonly property: string;
}

export function section<T extends object>(doc: string, fields: Fields<T>): Section<T> {
  const table = fieldTable(fields);
  const schema = schemaOf(doc, table, true);
  const whole: Section<T> = {
    doc,
    fields,
    expected: "a mapping",
    schema,
    read: (node, problems) => readFields(table, node, problems, true) as T | undefined,
    write: (value, options) => writeFields(table, value as Record<string, unknown>, options),
    defaults: () => Object.fromEntries(defaultsOf(table)) as T,
    partial(without = []) {
      const part = table.filter((field) => !without.includes(field.property as keyof T));
      return {
        expected: "a mapping",
        schema: schemaOf(doc, part, false),
        read: (node, problems) => readFields(part, node, problems, false) as Partial<T> | undefined,
        write: (value, options) => writeFields(part, value as Record<string, unknown>, options),
      };
    },
  };
  return whole;
}

/** The fields in order, with their keys, to generate documentation. */
export function fieldTable<T>(fields: Fields<T>): AnyField[] {
  return Object.entries<Field<unknown>>(fields as Record<string, Field<unknown>>).map(([property, field]) => ({
    ...field,
    property,
    key: field.key ?? snakeCase(property),
  }));
}

const snakeCase = (property: string): string => property.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

const defaultsOf = (table: readonly AnyField[]): [string, unknown][] =>
  table.filter((field) => field.default !== undefined).map((field) => [field.property, structuredClone(field.default)]);

function readFields(
  table: readonly AnyField[],
  node: SourceNode,
  problems: Problems,
  whole: boolean,
): Record<string, unknown> | undefined {
  const given: MapNode | undefined = isEmpty(node) ? map([], node.place) : node.kind === "map" ? node : undefined;
  if (!given) return mismatch(node, "a mapping", problems);
  const values = new Map<string, unknown>();
  let isComplete = true;
  const known = table.map((each) => each.key);
  const exact = new Set(given.entries.map(({ key }) => key).filter((key) => known.includes(key)));
  const open = known.filter((key) => !exact.has(key));
  const written = new Set(exact);
  for (const { key, place, value } of given.entries) {
    if (!known.includes(key)) problems.unknownKey(place, key, known);
    // The value of a misspelt key is read as if it were spelt right, to report errors in it too.
    const meant = exact.has(key) ? key : nearestWord(key, open);
    const field = table.find((each) => each.key === meant);
    if (!field) continue;
    written.add(field.key);
    if (!isEmpty(value) || field.required) {
      const found = field.type.read(value, problems);
      if (found !== undefined) values.set(field.property, found);
      else if (field.required) isComplete = false;
    }
  }
  for (const field of table) {
    if (!whole || !field.required || written.has(field.key)) continue;
    problems.error(below(given.place, field.key), `missing: expected ${field.type.expected}`, field.type.expected);
    isComplete = false;
  }
  if (!isComplete) return undefined;
  return { ...(whole ? Object.fromEntries(defaultsOf(table)) : {}), ...Object.fromEntries(values) };
}

function writeFields(
  table: readonly AnyField[],
  value: Record<string, unknown>,
  options: WriteOptions,
): Record<string, unknown> {
  const present = table.filter((field) => value[field.property] !== undefined);
  return Object.fromEntries(present.map((field) => [field.key, field.type.write(value[field.property], options)]));
}

function schemaOf(doc: string, table: readonly AnyField[], whole: boolean): JsonSchema {
  const required = table.filter((field) => whole && field.required).map((field) => field.key);
  const properties = table.map((field) => {
    const byDefault =
      whole && field.default !== undefined ? { default: field.type.write(field.default, { mask: false }) } : {};
    return [field.key, { ...field.type.schema, description: field.doc, ...byDefault }];
  });
  return {
    type: ["object", "null"],
    description: doc,
    properties: Object.fromEntries(properties),
    additionalProperties: false,
    ...(required.length > 0 ? { required } : {}),
  };
}
