/**
 * - `ERR_PLUGIN_CONFIG`: the options of a plugin are wrong; the message names the plugin and the option
 * - `ERR_PLUGIN_LOAD`: a plugin could not be found, or what was found is none
 * - `ERR_PLUGIN_START`: a plugin refused to start
 * - `ERR_PLUGIN_TIMEOUT`: a hook did not answer in time (only ever logged and counted)
 */
export type PluginErrorCode = "ERR_PLUGIN_CONFIG" | "ERR_PLUGIN_LOAD" | "ERR_PLUGIN_START" | "ERR_PLUGIN_TIMEOUT";

export class PluginError extends Error {
  override readonly name: string = "PluginError";
  readonly code: PluginErrorCode;
  /** Name of the plugin. */
  readonly plugin: string;
  /** What is wrong, without the name of the plugin. */
  readonly reason: string;

  constructor(code: PluginErrorCode, plugin: string, message: string, options?: { cause?: unknown }) {
    super(`plugin "${plugin}": ${message}`, options);
    this.code = code;
    this.plugin = plugin;
    this.reason = message;
  }

  /** The same error for an instance whose name is not the plugin's own. */
  of(instance: string): PluginError {
    return new PluginError(this.code, instance, this.reason, { cause: this.cause });
  }
}
