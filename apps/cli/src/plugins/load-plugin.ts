// One plugin of the configuration → the plugin: one of ours, a package, or a module on the disk.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuiltInPlugin, PluginSection } from "@wrenmq/config";
import { type Plugin, PluginError } from "@wrenmq/plugin-api";
import { BUILT_IN_PLUGINS } from "./built-in.ts";

/**
 * @param source path of the configuration; packages are looked for from its folder
 * @throws PluginError ERR_PLUGIN_LOAD, ERR_PLUGIN_CONFIG
 */
export async function loadPlugin(section: PluginSection, source: string | undefined): Promise<Plugin> {
  const { name } = section;
  try {
    const plugin = section.origin === "built-in" ? await builtIn(section) : await foreign(section, source);
    // Known by its name in the configuration: listeners refer to that one, and there may be two of a kind.
    return {
      name,
      setup: async (context) => {
        try {
          return await plugin.setup(context);
        } catch (error) {
          throw named(name, error);
        }
      },
      ...(plugin.close === undefined ? {} : { close: () => plugin.close?.() }),
    };
  } catch (error) {
    throw named(name, error);
  }
}

function named(name: string, error: unknown): unknown {
  return error instanceof PluginError && error.plugin !== name ? error.of(name) : error;
}

async function builtIn({ use, options }: PluginSection): Promise<Plugin> {
  const make = await BUILT_IN_PLUGINS[use as BuiltInPlugin]();
  return make(options as never);
}

async function foreign({ name, use, origin, options }: PluginSection, source: string | undefined): Promise<Plugin> {
  const module = (await imported(name, origin === "path" ? pathToFileURL(use).href : packageUrl(use, source))) as {
    readonly default?: unknown;
  };
  const made: unknown =
    typeof module.default === "function" ? (module.default as (given: unknown) => unknown)(options) : module.default;
  if (isPlugin(made)) return made;
  throw new PluginError("ERR_PLUGIN_LOAD", name, `${use}: the default export is not what definePlugin() returns`);
}

async function imported(name: string, url: string): Promise<unknown> {
  try {
    return await import(url);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new PluginError("ERR_PLUGIN_LOAD", name, `cannot be loaded: ${message}`, { cause: error });
  }
}

function packageUrl(name: string, source: string | undefined): string {
  const from = source === undefined ? process.cwd() : dirname(source);
  try {
    return pathToFileURL(createRequire(pathToFileURL(join(from, "_"))).resolve(name)).href;
  } catch {
    // Not there, or it has an entry for `import` only: then it must be installed beside the broker.
    return name;
  }
}

function isPlugin(value: unknown): value is Plugin {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof (value as Partial<Plugin>).name === "string" &&
    typeof (value as Partial<Plugin>).setup === "function"
  );
}
