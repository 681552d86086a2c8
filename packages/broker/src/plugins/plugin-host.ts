// The plugins of a broker: started in order, closed in reverse, compiled into one chain for each listener.
import {
  compileHooks,
  type HookChain,
  type Hooks,
  type Logger,
  type NamedHooks,
  type Plugin,
  type PluginContext,
  PluginError,
} from "@wrenmq/plugin-api";

const DECIDING: readonly (keyof Hooks)[] = [
  "authenticate",
  "authenticationMethods",
  "authorizeConnect",
  "authorize",
  "connect",
  "publish",
  "subscribe",
  "will",
];

interface Running extends NamedHooks {
  readonly plugin: Plugin;
}

export class PluginHost {
  readonly #logger: Logger;
  readonly #timeoutMs: number | undefined;
  readonly #contextOf: (name: string) => PluginContext & { end(): void };
  #running: (Running & { readonly context: { end(): void } })[] = [];
  /** Hooks that failed, for `$SYS` and metrics. */
  failures: number = 0;

  constructor(
    logger: Logger,
    timeoutMs: number | undefined,
    contextOf: (name: string) => PluginContext & { end(): void },
  ) {
    this.#logger = logger;
    this.#timeoutMs = timeoutMs;
    this.#contextOf = contextOf;
  }

  get names(): readonly string[] {
    return this.#running.map((running) => running.name);
  }

  /** @throws PluginError ERR_PLUGIN_START naming the plugin; those that had started are closed again */
  async start(plugins: readonly Plugin[]): Promise<void> {
    for (const plugin of plugins) {
      const context = this.#contextOf(plugin.name);
      try {
        this.#running.push({ plugin, name: plugin.name, hooks: await plugin.setup(context), context });
      } catch (error) {
        context.end();
        await this.close();
        if (error instanceof PluginError) throw error;
        const message = error instanceof Error ? error.message : String(error);
        throw new PluginError("ERR_PLUGIN_START", plugin.name, message, { cause: error });
      }
    }
  }

  /** The last started first; one that fails to close is logged and keeps no other open. */
  async close(): Promise<void> {
    const running = this.#running.reverse();
    this.#running = [];
    for (const { plugin, name, context } of running) {
      context.end();
      try {
        await plugin.close?.();
      } catch (error) {
        this.#logger.error({ plugin: name, err: error }, "a plugin failed to close");
      }
    }
  }

  /** @param members names of the plugins that decide; undefined: all. Everyone may watch. */
  chain(members: readonly string[] | undefined, events: Hooks): HookChain {
    const hooks: NamedHooks[] = this.#running.map(({ name, hooks }) => ({
      name,
      hooks: members === undefined || members.includes(name) ? hooks : watching(hooks),
    }));
    hooks.push({ name: "events", hooks: events });
    return compileHooks(hooks, {
      logger: this.#logger,
      timeoutMs: this.#timeoutMs,
      onError: () => {
        this.failures++;
      },
    });
  }
}

function watching(hooks: Hooks): Hooks {
  const rest: Partial<Record<keyof Hooks, unknown>> = {};
  for (const name of Object.keys(hooks) as (keyof Hooks)[]) {
    if (!DECIDING.includes(name)) rest[name] = hooks[name];
  }
  return rest as Hooks;
}
