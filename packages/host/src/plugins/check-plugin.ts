// Loads a plugin of the configuration and runs its check.
import { type PluginSection, pluginOptionKey } from "@wrenmq/config";
import { type Plugin, PluginError, type PluginProblem } from "@wrenmq/plugin-api";
import { type Describe, messageOf } from "../describe.ts";
import { loadPlugin } from "./load-plugin.ts";

export interface PluginCheckOptions {
  /** Folder of the configuration; packages are searched from there. Default: the working directory. */
  readonly folder: string | undefined;
  /** Milliseconds for the plugin's own check. */
  readonly timeout: number;
  /** The running plugin with the same options, if there is one. */
  readonly running: Plugin | undefined;
  /** Was an unreadable file reported at this key? */
  isMissing(key: readonly string[]): boolean;
  readonly describe: Describe | undefined;
  report(key: readonly string[], message: string, severity?: "error" | "warning"): void;
}

/** @returns the plugin; undefined when it was reported why there is none */
export async function checkPlugin(section: PluginSection, options: PluginCheckOptions): Promise<Plugin | undefined> {
  const { folder, timeout, running, isMissing, report, describe = messageOf } = options;
  const at = ["plugins", section.name];
  if (isMissing([...at, "use"])) return undefined;
  const words = (error: unknown): string => (error instanceof PluginError ? error.reason : describe(error));
  let plugin: Plugin;
  try {
    plugin = running ?? (await loadPlugin(section, folder));
  } catch (error) {
    const isOfOptions = error instanceof PluginError && error.code === "ERR_PLUGIN_CONFIG";
    report(isOfOptions ? at : [...at, "use"], words(error));
    return undefined;
  }
  try {
    for (const { option, message, severity } of await inTime(plugin.check?.() ?? [], timeout)) {
      const key = option === undefined ? at : [...at, pluginOptionKey(section, option)];
      if (!isMissing(key)) report(key, message, severity);
    }
  } catch (error) {
    report(at, words(error));
  }
  return plugin;
}

async function inTime(
  answer: readonly PluginProblem[] | Promise<readonly PluginProblem[]>,
  timeout: number,
): Promise<readonly PluginProblem[]> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<PluginProblem[]>((resolve) => {
    timer = setTimeout(resolve, timeout, [{ message: `its check did not answer within ${timeout} ms` }]);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
