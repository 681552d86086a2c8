// Loads the plugins of a configuration, each under the name of its entry.
import type { BuiltInPlugin, PluginSection, WrenConfig } from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";
import { BUILT_IN_PLUGINS } from "./built-in.ts";
import { importPlugin, pluginErrorOf } from "./import-plugin.ts";

/**
 * All plugins of a configuration, in its order.
 * @param running plugins to use as they are, by name
 * @throws PluginError ERR_PLUGIN_LOAD, ERR_PLUGIN_CONFIG
 */
export function loadPlugins(
  { plugins, folder }: Pick<WrenConfig, "plugins" | "folder">,
  running: ReadonlyMap<string, Plugin> = new Map(),
): Promise<Plugin[]> {
  return Promise.all(plugins.map(async (section) => running.get(section.name) ?? loadPlugin(section, folder)));
}

/**
 * @param folder of the configuration; packages are searched from there. Default: the working directory
 * @throws PluginError ERR_PLUGIN_LOAD, ERR_PLUGIN_CONFIG
 */
export async function loadPlugin(section: PluginSection, folder: string = process.cwd()): Promise<Plugin> {
  const { name } = section;
  const named = (error: unknown): unknown => pluginErrorOf(error, name) ?? error;
  try {
    const plugin = section.origin === "built-in" ? await builtIn(section) : await importPlugin(section, folder);
    // Named as in the configuration: listeners refer to that name, and a plugin may be used twice.
    return {
      name,
      setup: async (context) => {
        try {
          return await plugin.setup(context);
        } catch (error) {
          throw named(error);
        }
      },
      ...(plugin.check === undefined ? {} : { check: () => plugin.check?.() ?? [] }),
      ...(plugin.close === undefined ? {} : { close: () => plugin.close?.() }),
    };
  } catch (error) {
    throw named(error);
  }
}

async function builtIn({ use, options }: PluginSection): Promise<Plugin> {
  const make = await BUILT_IN_PLUGINS[use as BuiltInPlugin]();
  return make(options as never);
}
