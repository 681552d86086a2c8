// The JSON Schema of the native style, for editors. Made from the same tables as the reader.
import type { JsonSchema } from "./description/value-type.ts";
import { pluginDefinitions } from "./sections/plugins.ts";
import { rootSection } from "./sections/root.ts";

/** Draft 2020-12, plain data. The published copy is `@wrenmq/config/wrenmq.schema.json`. */
export function configSchema(): JsonSchema {
  const definitions = Object.entries(pluginDefinitions()).map(([name, schema]) => [name, withReferences(schema)]);
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "WrenMQ configuration",
    ...withReferences(rootSection.schema),
    patternProperties: { "^x-.": { description: "What YAML anchors stand for; it is not looked at." } },
    $defs: Object.fromEntries(definitions),
  };
}

const REFERENCE: JsonSchema = { type: "string", pattern: "\\$\\{[A-Za-z_]" };

/** Allows `${NAME}` for every value, which a schema of numbers would reject. */
function withReferences(schema: JsonSchema): JsonSchema {
  if (schema["$ref"] !== undefined) return schema;
  if (schema["properties"] !== undefined || isSchema(schema["additionalProperties"])) {
    const { properties, additionalProperties } = schema;
    const inner = Object.entries((properties ?? {}) as Record<string, JsonSchema>);
    return {
      ...schema,
      ...(properties
        ? { properties: Object.fromEntries(inner.map(([key, each]) => [key, withReferences(each)])) }
        : {}),
      ...(isSchema(additionalProperties) ? { additionalProperties: withReferences(additionalProperties) } : {}),
    };
  }
  if (isSchema(schema["items"])) return { ...schema, items: withReferences(schema["items"]) };
  const takesAnyText = schema["type"] === "string" && schema["pattern"] === undefined;
  if (takesAnyText || schema["if"] !== undefined || Object.keys(schema).length === 0) return schema;
  const { description, default: byDefault, ...rest } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...(byDefault === undefined ? {} : { default: byDefault }),
    anyOf: [rest, REFERENCE],
  };
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === "object" && value !== null;
