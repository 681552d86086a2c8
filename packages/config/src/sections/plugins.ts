// The section `plugins`: a mapping of instance names to options; `use` names the plugin, by default that of the
// instance's name.

import { OPTIONS as acl } from "@wrenmq/auth-acl/options";
import { OPTIONS as anonymous } from "@wrenmq/auth-anonymous/options";
import { OPTIONS as guard } from "@wrenmq/auth-guard/options";
import { OPTIONS as http } from "@wrenmq/auth-http/options";
import { OPTIONS as jwt } from "@wrenmq/auth-jwt/options";
import { OPTIONS as ldap } from "@wrenmq/auth-ldap/options";
import { OPTIONS as passwordFile } from "@wrenmq/auth-password/options";
import { OPTIONS as scram } from "@wrenmq/auth-scram/options";
import { OPTIONS as sql } from "@wrenmq/auth-sql/options";
import { OPTIONS as taboo } from "@wrenmq/auth-taboo/options";
import { OPTIONS as token } from "@wrenmq/auth-token/options";
import { OPTIONS as x509 } from "@wrenmq/auth-x509/options";
import { didYouMean, type SchemaOf } from "@wrenmq/plugin-api/options";
import { EVENT_LOG_OPTIONS, PACKET_LOG_OPTIONS } from "@wrenmq/plugin-logging/options";
import { OPTIONS as shadows } from "@wrenmq/plugin-shadows/options";
import { anyMap } from "../description/collections.ts";
import { resolvePath } from "../description/scalars.ts";
import { type Fields, fieldTable } from "../description/section.ts";
import { type JsonSchema, mismatch, type ValueType, type WriteOptions } from "../description/value-type.ts";
import type { Problems } from "../diagnostic.ts";
import { isEmpty, lookUp, type MapNode, map, type SourceNode } from "../source-node.ts";
import type { BuiltInPlugin, PluginSection } from "../wren-config.ts";
import { type OptionsTable, pluginOptions } from "./plugin-options.ts";

/** The declared options of each built-in plugin. */
export const BUILT_IN_SCHEMAS: Readonly<Record<BuiltInPlugin, SchemaOf<unknown>>> = {
  anonymous,
  "password-file": passwordFile,
  acl,
  taboo,
  jwt,
  http,
  ldap,
  sql,
  x509,
  scram,
  token,
  shadows,
  guard,
  "event-log": EVENT_LOG_OPTIONS,
  "packet-log": PACKET_LOG_OPTIONS,
};

export const BUILT_IN: Readonly<Record<BuiltInPlugin, OptionsTable>> = Object.fromEntries(
  Object.entries(BUILT_IN_SCHEMAS).map(([name, schema]) => [name, pluginOptions(schema)]),
) as Record<BuiltInPlugin, OptionsTable>;

/** The key in the file of an option of a plugin. */
export function pluginOptionKey({ use, origin }: PluginSection, option: string): string {
  const { fields = {} } = (origin === "built-in" ? builtIn(use) : undefined) ?? {};
  const known = fieldTable(fields as Fields<Record<string, unknown>>);
  return known.find(({ property }) => property === option)?.key ?? option;
}

const builtIn = (name: string): OptionsTable | undefined =>
  Object.hasOwn(BUILT_IN, name) ? BUILT_IN[name as BuiltInPlugin] : undefined;

const BY_USE: JsonSchema = { $ref: "#/$defs/plugin-by-use" };

export const pluginsSection: ValueType<PluginSection[]> = {
  expected: "a mapping of names to plugins",
  schema: schemaOfPlugins(),
  read(node, problems) {
    if (isEmpty(node)) return [];
    if (node.kind !== "map") return mismatch(node, "a mapping of names to plugins", problems);
    return node.entries.flatMap(({ key, value }) => readPlugin(key, value, problems) ?? []);
  },
  write: (plugins, options) => Object.fromEntries(plugins.map((each) => [each.name, writePlugin(each, options)])),
};

function readPlugin(name: string, node: SourceNode, problems: Problems): PluginSection | undefined {
  if (!isEmpty(node) && node.kind !== "map") return mismatch(node, "a mapping of the plugin's options", problems);
  const use = lookUp(node, "use");
  if (use && (use.kind !== "scalar" || typeof use.value !== "string" || use.value === "")) {
    return mismatch(use, "the name of a plugin, a package or a path", problems);
  }
  const wanted = use?.kind === "scalar" ? String(use.value) : name;
  const given: SourceNode =
    node.kind === "map"
      ? map(
          node.entries.filter((each) => each.key !== "use"),
          node.place,
        )
      : map([], node.place);
  const table = builtIn(wanted);
  if (table) {
    const options = table.read(given, problems);
    return options && { name, use: wanted, origin: "built-in", options: options as Record<string, unknown> };
  }
  return readForeign(name, wanted, use, given as MapNode, problems);
}

function readForeign(
  name: string,
  wanted: string,
  use: SourceNode | undefined,
  given: MapNode,
  problems: Problems,
): PluginSection | undefined {
  const known = Object.keys(BUILT_IN);
  const options = anyMap.read(given, problems);
  if (!options) return undefined;
  if (/^\.{0,2}\//.test(wanted)) {
    return { name, use: resolvePath(wanted, (use ?? given).place.file), origin: "path", options };
  }
  // Without `use` a bare word is far more often a misspelt built-in plugin than the name of a package.
  const isPackage = /^(@[\w.-]+\/)?[\w.-]+(\/[\w.-]+)*$/.test(wanted) && (use !== undefined || wanted.includes("/"));
  if (isPackage) return { name, use: wanted, origin: "package", options };
  const hint = didYouMean(wanted, known) || ' (for a package or a file say so with "use")';
  return problems.error(given.place, `unknown plugin "${wanted}"${hint}`, `one of ${known.join(", ")}`);
}

function writePlugin(plugin: PluginSection, options: WriteOptions): unknown {
  const table = builtIn(plugin.use);
  const written = table ? table.write(plugin.options, options) : anyMap.write(plugin.options, options);
  return { ...(plugin.use === plugin.name ? {} : { use: plugin.use }), ...(written as object) };
}

/** The schemas of the built-in plugins' options: `#/$defs/…` of the whole schema. */
export function pluginDefinitions(): Record<string, JsonSchema> {
  const known = Object.keys(BUILT_IN);
  const options = Object.entries(BUILT_IN).map(([name, { schema }]) => {
    const properties = { use: { type: "string" }, ...(schema["properties"] as object) };
    return [`plugin-${name}`, { ...schema, properties }];
  });
  const byUse: JsonSchema = {
    type: ["object", "null"],
    properties: { use: { anyOf: [{ enum: known }, { type: "string" }] } },
    allOf: known.map((name) => ({
      if: { type: "object", properties: { use: { const: name } }, required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: `#/$defs/plugin-${name}` },
    })),
  };
  return { ...Object.fromEntries(options), "plugin-by-use": byUse };
}

function schemaOfPlugins(): JsonSchema {
  const byName = Object.keys(BUILT_IN).map((name) => [
    name,
    {
      if: { type: "object", required: ["use"] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: BY_USE,
      else: { $ref: `#/$defs/plugin-${name}` },
    },
  ]);
  return {
    type: ["object", "null"],
    description: "Plugins by instance name; `use` says which one, if not the one of that name.",
    properties: Object.fromEntries(byName),
    additionalProperties: BY_USE,
  };
}
