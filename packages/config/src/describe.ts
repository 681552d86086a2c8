// The effective configuration as native YAML.
import { Document } from "yaml";
import { escapeReferences } from "./reading/environment.ts";
import { rootSection } from "./sections/root.ts";
import type { WrenConfig } from "./wren-config.ts";

export interface DescribeOptions {
  /** Write secrets too; without it they are `********`. */
  readonly secrets?: boolean;
}

/** Every key with the value that counts, defaults included. With `secrets` it can be read again to the same effect. */
export function describe(config: WrenConfig, options: DescribeOptions = {}): string {
  const { source, ...sections } = config;
  const file = { wrenmq: 1 as const, include: [], ...sections };
  const { include: _none, ...plain } = rootSection.write(file, { mask: options.secrets !== true }) as {
    include: unknown;
  };
  const head = source === undefined ? "" : `# effective configuration of ${source}\n`;
  return head + toYaml(plain);
}

/** Native YAML of plain data: texts that look like `${NAME}` stay texts. */
export function toYaml(plain: unknown): string {
  return toDocument(plain).toString({ lineWidth: 0 });
}

/** The same as a document that comments can be added to. */
export function toDocument(plain: unknown): Document {
  return new Document(escaped(plain));
}

function escaped(value: unknown): unknown {
  if (typeof value === "string") return escapeReferences(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, escaped(each)]));
}
