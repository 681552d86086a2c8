// Reads the configuration for a broker from a file, an object or nothing: parses it, adds plugins that its listeners
// imply, and checks the files that it names.
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
   * Folder for relative paths of an object, and from which packages of its plugins are searched. Default: the working
   * directory. For a file it is the file's folder.
   */
  readonly base?: string;
  /** Default: it is detected. */
  readonly style?: Style;
  /** Values of `${NAME}` in files in the native style. Default `process.env`. */
  readonly environment?: Environment;
  /** The configuration in use, if the broker runs. Default: none. */
  readonly running?: Running;
  /** One line about an error that a plugin throws. Default: its message. */
  readonly describe?: Describe;
  /** Changes to the configuration, such as those of a command line's options. Default: none. */
  adjust?(config: WrenConfig): WrenConfig;
}

export interface EffectiveConfig {
  readonly config: WrenConfig;
  readonly warnings: readonly Diagnostic[];
  /** The plugins of the configuration, in its order; not started. */
  readonly plugins: readonly Plugin[];
}

/** The configuration in use, and its plugins: a plugin with the same options is not made again. */
export type Running = Pick<EffectiveConfig, "config" | "plugins">;

/**
 * Reads the configuration and checks everything that it needs.
 * @param source path of a YAML file, a plain object in any style, or undefined for the defaults
 * @throws ConfigError with all errors
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
