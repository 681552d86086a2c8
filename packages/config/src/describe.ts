// Writes a configuration as native YAML.
import { Document } from "yaml";
import { escapeReferences } from "./reading/environment.ts";
import { rootSection } from "./sections/root.ts";
import type { WrenConfig } from "./wren-config.ts";

export interface DescribeOptions {
  /** Include secrets. Default: they are written as `********`. */
  readonly secrets?: boolean;
}

/**
 * Every key with its effective value, defaults included. With `secrets` the result can be read again with the same
 * effect.
 */
export function describe(config: WrenConfig, options: DescribeOptions = {}): string {
  const { source } = config;
  const head = source === undefined ? "" : `# effective configuration of ${source}\n`;
  return head + toYaml(plainOf(config, options.secrets !== true));
}

/** The same as plain data. */
export function plainOf(config: WrenConfig, mask: boolean): Record<string, unknown> {
  const { source: _source, ...sections } = config;
  const file = { wrenmq: 1 as const, include: [], ...sections };
  const { include: _none, ...plain } = rootSection.write(file, { mask }) as Record<string, unknown>;
  return plain;
}

/** Plain data as native YAML; texts that look like `${NAME}` are escaped. */
export function toYaml(plain: unknown): string {
  return toDocument(plain).toString({ lineWidth: 0 });
}

/** The same as a document to which comments can be added. */
export function toDocument(plain: unknown): Document {
  return new Document(escaped(plain));
}

function escaped(value: unknown): unknown {
  if (typeof value === "string") return escapeReferences(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)]));
}
