// `definePlugin`: makes the function that takes a plugin's options and returns the plugin.
import { isPromise } from "./chain/hook-guard.ts";
import type { Hooks, MaybePromise } from "./hooks.ts";
import type { Plugin, PluginContext, PluginDefinition, PluginProblem } from "./plugin.ts";
import { PluginError } from "./plugin-error.ts";
import type { StandardResult, StandardSchema } from "./standard-schema.ts";

/** The options as the user writes them; required only where the schema has an option without default. */
export type PluginFactory<Schema extends StandardSchema | undefined> =
  Schema extends StandardSchema<infer Input, infer _Output>
    ? undefined extends Input
      ? (options?: Input) => Plugin
      : Record<never, never> extends Input
        ? (options?: Input) => Plugin
        : (options: Input) => Plugin
    : () => Plugin;

type Config<Schema extends StandardSchema | undefined> =
  Schema extends StandardSchema<infer _Input, infer Output> ? Output : undefined;

/**
 * Defines a plugin by one typed object. The returned function validates the options at once; the result of an
 * asynchronous validator is awaited when the plugin starts.
 *
 * @throws PluginError ERR_PLUGIN_CONFIG (from the returned function) naming the plugin and the option
 */
export function definePlugin<Schema extends StandardSchema | undefined = undefined>(
  definition: PluginDefinition<Schema>,
): PluginFactory<Schema> {
  const { name, config: schema } = definition;
  const factory = (options?: unknown): Plugin => {
    if (schema === undefined && options !== undefined) rejectOptions(name, options);
    const checked = schema?.["~standard"].validate(options ?? {});
    const config: MaybePromise<unknown> =
      checked === undefined
        ? undefined
        : isPromise(checked)
          ? checked.then((result) => validOptions(name, result))
          : validOptions(name, checked);
    // The plugin may never be started: the rejection must not end the process.
    if (isPromise(config)) config.catch(() => {});
    const { close } = definition;
    return {
      name,
      check(): MaybePromise<readonly PluginProblem[]> {
        const look = (value: unknown) => definition.check?.({ config: value as Config<Schema> }) ?? [];
        return isPromise(config) ? config.then(look) : look(config);
      },
      setup(context: PluginContext): MaybePromise<Hooks> {
        const start = (value: unknown) => definition.hooks({ config: value as Config<Schema>, context });
        return isPromise(config) ? config.then(start) : start(config);
      },
      ...(close === undefined ? {} : { close: () => close.call(definition) }),
    };
  };
  return factory as PluginFactory<Schema>;
}

function rejectOptions(name: string, options: unknown): void {
  if (typeof options === "object" && (options === null || Object.keys(options).length === 0)) return;
  throw new PluginError("ERR_PLUGIN_CONFIG", name, "takes no options");
}

function validOptions<Output>(name: string, result: StandardResult<Output>): Output {
  if (result.issues === undefined) return result.value;
  const lines = result.issues.map(({ message, path }) => {
    const where = (path ?? []).map((part) => String(typeof part === "object" ? part.key : part)).join(".");
    return where === "" ? message : `${where}: ${message}`;
  });
  throw new PluginError("ERR_PLUGIN_CONFIG", name, lines.length === 0 ? "the options are wrong" : lines.join("; "));
}
