// From a file, an object or nothing to the configuration that a broker is made from: read, completed with what its listeners
// say about plugins, and checked against the files that it names.
import {
  ConfigError,
  type Diagnostic,
  defaultConfig,
  diffConfig,
  type Environment,
  fromObject,
  loadConfig,
  type ParseResult,
  riskWarnings,
  type Style,
  type WrenConfig,
} from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";
import { checkSetup } from "./check-setup.ts";
import type { Describe } from "./describe.ts";
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
  /** A configuration that is in force. */
  readonly running?: Running;
  /** One line about what a plugin throws. Default: its message. */
  readonly describe?: Describe;
  /** What is different from the configuration, such as options of a command line. */
  adjust?(config: WrenConfig): WrenConfig;
}

export interface EffectiveConfig {
  readonly config: WrenConfig;
  readonly warnings: readonly Diagnostic[];
  /** Those of the configuration, in its order; not started. */
  readonly plugins: readonly Plugin[];
}

/** What runs already: of plugins with the same options there is no second instance. */
export type Running = Pick<EffectiveConfig, "config" | "plugins">;

/**
 * Reads the configuration and checks everything that it needs.
 * @param source path of a YAML file, a plain object in any style, or undefined for what the broker does without either
 * @throws ConfigError with every mistake
 */
export async function readConfig(
  source: string | object | undefined,
  options: ReadOptions = {},
): Promise<EffectiveConfig> {
  const read = source === undefined ? undefined : parsed(source, options);
  const base = namesFromCertificates(read?.config ?? defaultConfig());
  const config = options.adjust?.(base) ?? base;
  const { running, describe } = options;
  const { errors, plugins } = await checkSetup(config, {
    locate: read?.locate,
    running: running === undefined ? new Map() : keptPlugins(running, config),
    ...(describe === undefined ? {} : { describe }),
  });
  if (errors.length > 0) throw new ConfigError(errors);
  const warnings = [...(read?.warnings ?? []), ...riskWarnings(config, read?.locate)];
  return { config, warnings, plugins };
}

function keptPlugins({ config, plugins }: Running, wanted: WrenConfig): ReadonlyMap<string, Plugin> {
  const { kept } = diffConfig(config, wanted).plugins;
  return new Map(plugins.filter(({ name }) => kept.includes(name)).map((plugin) => [plugin.name, plugin]));
}

function parsed(source: string | object, { base = process.cwd(), style, environment }: ReadOptions): ParseResult {
  const asked = style === undefined ? {} : { style };
  if (typeof source !== "string") return fromObject(source, { ...asked, base });
  return loadConfig(source, { ...asked, ...(environment === undefined ? {} : { environment }) });
}
