// From a file, an object or nothing to the configuration that a broker is made from: read, completed with what its listeners
// say about plugins, and checked against the files that it names.
import {
  ConfigError,
  checkFiles,
  type Diagnostic,
  defaultConfig,
  type Environment,
  fromObject,
  loadConfig,
  type ParseResult,
  riskWarnings,
  type Style,
  type WrenConfig,
} from "@wrenmq/config";
import { namesFromCertificates } from "./names-from-certificates.ts";

export interface ReadOptions {
  /**
   * Where the relative paths of an object belong, and where the packages of its plugins are looked for. Default: the working
   * directory. A file has its own folder.
   */
  readonly base?: string;
  /** Default: it is found out. */
  readonly style?: Style;
  /** For `${NAME}` in files of WrenMQ's own form. Default `process.env`. */
  readonly environment?: Environment;
  /** What is different from the configuration, such as options of a command line. */
  adjust?(config: WrenConfig): WrenConfig;
}

export interface EffectiveConfig {
  readonly config: WrenConfig;
  readonly warnings: readonly Diagnostic[];
}

/**
 * @param source path of a YAML file, a plain object in any style, or undefined for what the broker does without either
 * @throws ConfigError with every mistake
 */
export function readConfig(source: string | object | undefined, options: ReadOptions = {}): EffectiveConfig {
  const read = source === undefined ? undefined : parsed(source, options);
  const base = namesFromCertificates(read?.config ?? defaultConfig());
  const config = options.adjust?.(base) ?? base;
  const files = checkFiles(config, read === undefined ? {} : { locate: read.locate });
  if (files.errors.length > 0) throw new ConfigError(files.errors);
  const warnings = [...(read?.warnings ?? []), ...files.warnings, ...riskWarnings(config, read?.locate)];
  return { config, warnings };
}

function parsed(source: string | object, { base = process.cwd(), style, environment }: ReadOptions): ParseResult {
  const asked = style === undefined ? {} : { style };
  if (typeof source !== "string") return fromObject(source, { ...asked, base });
  return loadConfig(source, { ...asked, ...(environment === undefined ? {} : { environment }) });
}
