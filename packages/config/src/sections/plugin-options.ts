// Makes the section of a plugin of the options that it declares: keys with units, documentation, JSON Schema. The
// plugin's own check of all options together runs when each of them has been read.
import { type Form, keyOf, type SchemaOf } from "@wrenmq/plugin-api/options";
import { listOf, mapOf } from "../description/collections.ts";
import { duration, size } from "../description/quantities.ts";
import { choice, count, flag, integer, path, secret, secretUrl, text } from "../description/scalars.ts";
import { type Field, type Fields, type Section, section } from "../description/section.ts";
import { mismatch, type ValueType } from "../description/value-type.ts";
import type { Problems } from "../diagnostic.ts";
import { below, type SourceNode, toPlain } from "../source-node.ts";

type Values = Record<string, unknown>;
/** What the section `plugins` uses of each plugin. */
export type OptionsTable = Pick<Section<object>, "doc" | "schema" | "read" | "write"> & { readonly fields: object };

/** The options of a plugin as a section of the configuration file. */
export function pluginOptions(schema: SchemaOf<unknown>): OptionsTable {
  const entries = Object.entries(schema.fields).map(([property, option]): [string, Field<unknown>] => {
    const { about, form = ANY, needed, default: byDefault } = option;
    return [
      property,
      {
        doc: about?.doc ?? "",
        type: typeOf(form),
        key: keyOf(property, about),
        ...(needed ? { required: true } : {}),
        ...(byDefault === undefined ? {} : { default: byDefault }),
      },
    ];
  });
  const table = section<Values>(schema.doc ?? "", Object.fromEntries(entries) as Fields<Values>);
  return {
    ...table,
    read(node, problems) {
      const before = problems.errors.length;
      const values = table.read(node, problems);
      // With errors in single options the plugin's own check would report them as missing.
      if (values !== undefined && problems.errors.length === before) ask(schema, values, node, problems);
      return values;
    },
    write: (value, options) => table.write(value as Values, options),
  };
}

/** Runs the plugin's own check; what it reports about an option is reported about its key. */
function ask(schema: SchemaOf<unknown>, values: Values, node: SourceNode, problems: Problems): void {
  const result = schema["~standard"].validate(values);
  if (result instanceof Promise || result.issues === undefined) return;
  const keys = new Map(Object.entries(schema.fields).map(([name, { about }]) => [name, keyOf(name, about)]));
  const inKeys = (message: string): string => message.replaceAll(/\w+/g, (word) => keys.get(word) ?? word);
  for (const { message, path: at = [] } of result.issues) {
    const [, property, rest] = /^(\w+): (.*)$/s.exec(message) ?? [];
    const named = property !== undefined && keys.has(property) ? property : undefined;
    const steps = [...at, ...(named === undefined ? [] : [named])].map((step) =>
      String(typeof step === "object" ? step.key : step),
    );
    const place = steps.reduce((from, step) => below(from, keys.get(step) ?? step), node.place);
    problems.error(place, inKeys(named === undefined ? message : (rest ?? message)));
  }
}

const ANY: Form = { kind: "any" };

const anything: ValueType<unknown> = {
  expected: "a value",
  schema: {},
  read: (node, problems) => (node.kind === "opaque" ? mismatch(node, "a value", problems) : toPlain(node)),
  write: (value) => value,
};

function typeOf(form: Form): ValueType<unknown> {
  return valueType(form) as ValueType<unknown>;
}

function valueType(form: Form): ValueType<never> | ValueType<unknown> {
  switch (form.kind) {
    case "text":
      return text(form.what) as ValueType<unknown>;
    case "secret":
      return secret() as ValueType<unknown>;
    case "secret-url":
      return secretUrl(form.what) as ValueType<unknown>;
    case "file":
      return path() as ValueType<unknown>;
    case "flag":
      return flag as ValueType<unknown>;
    case "integer":
      return integer(form.min, form.max) as ValueType<unknown>;
    case "count":
      return count as ValueType<unknown>;
    case "choice":
      return choice(form.words) as ValueType<unknown>;
    case "duration":
      return duration(form.unit, form.positive ? { positive: true } : {}) as ValueType<unknown>;
    case "size":
      return size({ minimum: form.min }) as ValueType<unknown>;
    case "list":
      return listOf(typeOf(form.item), form.what) as ValueType<unknown>;
    case "map":
      return mapOf(typeOf(form.item), form.what) as ValueType<unknown>;
    case "any":
      return anything;
  }
}
