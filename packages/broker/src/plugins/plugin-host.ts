// The plugins of a broker: starts them in order, closes them in reverse, and compiles their hooks into one chain for
// each listener.
import {
  type CompileOptions,
  compileHooks,
  DEFAULT_HOOK_TIMEOUT,
  type HookChain,
  type HookFailure,
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

export interface PluginReport {
  readonly name: string;
  /** The names of its hooks. */
  readonly hooks: readonly string[];
  /** Does it decide anything, such as who may enter? Others only watch. */
  readonly decides: boolean;
  /** Calls of its hooks that threw, rejected or took too long, since it was started. */
  readonly failures: number;
  readonly lastFailure: PluginFailure | undefined;
}

/** A promise of a hook has settled, or its time was over. */
export interface HookAnswer {
  readonly plugin: string;
  readonly hook: string;
  readonly milliseconds: number;
}

export interface PluginFailure {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly hook: string;
  /** The message of the error, at most 1,000 characters. */
  readonly message: string;
}

/** Characters of a message that are kept. */
const LONGEST_MESSAGE = 1_000;

interface Running extends NamedHooks {
  readonly plugin: Plugin;
  readonly context: { end(): void };
  failures: number;
  lastFailure: PluginFailure | undefined;
}

/** Other plugins, ready to replace the running ones. */
export interface PreparedPlugins {
  /**
   * Replaces the plugins: `takeOver` compiles the chains anew. Then plugins that are not used any more are closed, as
   * when the broker stops. Rejects with what `takeOver` throws, such as when two plugins conflict; then nothing has
   * changed.
   */
  commit(takeOver: () => void): Promise<void>;
  /** Closes those that were started. */
  abort(): Promise<void>;
  /** The chain that the host will have. */
  chain(members: readonly string[] | undefined, events: Hooks): HookChain;
}

/** The hooks that are called for a plugin that is added or removed while the broker runs, as at its start and stop. */
type LifeEvent = "brokerStarting" | "brokerStarted" | "brokerStopping" | "brokerStopped";

export class PluginHost {
  readonly #logger: Logger;
  readonly #hookTimeout: number;
  readonly #contextOf: (name: string) => PluginContext & { end(): void };
  readonly #now: () => number;
  /** In the order in which they were started. */
  #running: readonly Running[] = [];
  /** Number of failed hooks, for `$SYS` and metrics. */
  failures: number = 0;
  /** Called with each answer that took time; undefined: nobody measures. */
  answered: ((answer: HookAnswer) => void) | undefined = undefined;

  constructor(
    logger: Logger,
    timeout: number = DEFAULT_HOOK_TIMEOUT,
    contextOf: (name: string) => PluginContext & { end(): void },
    now: () => number,
  ) {
    this.#logger = logger;
    this.#hookTimeout = timeout;
    this.#contextOf = contextOf;
    this.#now = now;
  }

  /** The running plugins. */
  get named(): readonly { readonly name: string }[] {
    return this.#running;
  }

  /**
   * Names of the plugins that authenticate.
   * @param members as in `chain`
   */
  authenticators(members: readonly string[] | undefined): readonly string[] {
    const asked = this.#running.filter(({ name }) => members === undefined || members.includes(name));
    return asked
      .filter(({ hooks }) => hooks.authenticate !== undefined || hooks.authenticationMethods !== undefined)
      .map(({ name }) => name);
  }

  *reports(): IterableIterator<PluginReport> {
    for (const { name, hooks, failures, lastFailure } of this.#running) {
      const set = Object.entries(hooks).filter(([, hook]) => hook !== undefined && !Array.isArray(hook));
      const names = set.map(([hook]) => hook);
      const decides = names.some((hook) => DECIDING.includes(hook as keyof Hooks));
      yield { name, hooks: names, decides, failures, lastFailure };
    }
  }

  /** @throws PluginError ERR_PLUGIN_START naming the plugin; those that had started are closed again */
  async start(plugins: readonly Plugin[]): Promise<void> {
    this.#running = await this.#started(plugins, []);
  }

  /**
   * Starts other plugins, while the running ones go on. A plugin that is the same object is kept.
   * @throws PluginError ERR_PLUGIN_START naming the plugin; then nothing has changed
   */
  async prepare(plugins: readonly Plugin[]): Promise<PreparedPlugins> {
    const before = this.#running;
    const after = await this.#started(plugins, before);
    const added = after.filter((one) => !before.includes(one));
    const removed = before.filter((one) => !after.includes(one));
    return {
      abort: () => this.#end(added),
      chain: (members, events) => this.#chain(after, members, events),
      commit: async (takeOver) => {
        this.#running = after;
        this.#notify(added, "brokerStarting");
        try {
          takeOver();
        } catch (error) {
          this.#running = before;
          takeOver();
          await this.#end(added);
          throw error;
        }
        this.#notify(added, "brokerStarted");
        this.#notify(removed, "brokerStopping");
        await this.#end(removed);
        this.#notify(removed, "brokerStopped");
      },
    };
  }

  /** Closes in reverse order; an error of one is logged and does not affect the others. */
  async close(): Promise<void> {
    const running = this.#running;
    this.#running = [];
    await this.#end(running);
  }

  async #started(plugins: readonly Plugin[], already: readonly Running[]): Promise<readonly Running[]> {
    const all: Running[] = [];
    const added: Running[] = [];
    for (const plugin of plugins) {
      const kept = already.find((running) => running.plugin === plugin);
      if (kept !== undefined) {
        all.push(kept);
        continue;
      }
      const context = this.#contextOf(plugin.name);
      try {
        const hooks = await this.#setUp(plugin, context);
        const running: Running = { plugin, name: plugin.name, hooks, context, failures: 0, lastFailure: undefined };
        all.push(running);
        added.push(running);
      } catch (error) {
        context.end();
        await this.#end(added);
        if (error instanceof PluginError) throw error;
        const message = error instanceof Error ? error.message : String(error);
        throw new PluginError("ERR_PLUGIN_START", plugin.name, message, { cause: error });
      }
    }
    return all;
  }

  #setUp(plugin: Plugin, context: PluginContext): Promise<Hooks> {
    const setup = (async () => plugin.setup(context))();
    return this.#inTime(setup, () => {
      // If it starts after all it is not used: it is closed.
      setup.then((hooks) => hooks.close?.()).catch(() => {});
      return new PluginError("ERR_PLUGIN_START", plugin.name, `its setup did not end within ${this.#hookTimeout} ms`);
    });
  }

  async #end(running: readonly Running[]): Promise<void> {
    for (const { plugin, name, hooks, context } of [...running].reverse()) {
      context.end();
      for (const close of [() => hooks.close?.(), () => plugin.close?.()]) {
        try {
          const late = () =>
            new PluginError("ERR_PLUGIN_TIMEOUT", name, `did not close within ${this.#hookTimeout} ms`);
          await this.#inTime((async () => close())(), late);
        } catch (error) {
          this.#logger.error({ plugin: name, err: error }, "a plugin failed to close");
        }
      }
    }
  }

  /** Keeps the process alive until then: a process with nothing else to wait for must not end without a message. */
  #inTime<T>(promise: Promise<T>, late: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late()), this.#hookTimeout);
      promise.then(resolve, reject).finally(() => clearTimeout(timer));
    });
  }

  #notify(running: readonly Running[], event: LifeEvent): void {
    const watchers = running.map(({ name, hooks }) => ({ name, hooks: watching(hooks) }));
    const { observe } = compileHooks(watchers, this.#compileOptions());
    observe[event]?.();
  }

  /** @param members names of the plugins that decide; undefined: all. All plugins observe. */
  chain(members: readonly string[] | undefined, events: Hooks): HookChain {
    return this.#chain(this.#running, members, events);
  }

  #chain(running: readonly Running[], members: readonly string[] | undefined, events: Hooks): HookChain {
    const hooks: NamedHooks[] = running.map(({ name, hooks }) => ({
      name,
      hooks: members === undefined || members.includes(name) ? hooks : watching(hooks),
    }));
    hooks.push({ name: "events", hooks: events });
    return compileHooks(hooks, this.#compileOptions());
  }

  /**
   * All plugins, for what belongs to no listener. Nobody authenticates there, so two plugins may have the same method.
   */
  everyone(events: Hooks): HookChain {
    const hooks = this.#running.map(({ name, hooks: { authenticationMethods: _none, ...rest } }) => ({
      name,
      hooks: rest,
    }));
    return compileHooks([...hooks, { name: "events", hooks: events }], this.#compileOptions());
  }

  #timed(plugin: string, hook: string): (() => void) | undefined {
    if (this.answered === undefined) return undefined;
    const since = performance.now();
    return () => this.answered?.({ plugin, hook, milliseconds: performance.now() - since });
  }

  #compileOptions(): CompileOptions {
    return {
      logger: this.#logger,
      hookTimeout: this.#hookTimeout,
      onError: (failure) => this.#hookFailed(failure),
      onPromise: (plugin, hook) => this.#timed(plugin, hook),
    };
  }

  #hookFailed({ plugin, hook, error }: HookFailure): void {
    this.failures++;
    const running = this.#running.find(({ name }) => name === plugin);
    // It has been removed in the meantime, or is no plugin but a listener of the broker's events.
    if (running === undefined) return;
    const message = (error instanceof Error ? error.message : String(error)).slice(0, LONGEST_MESSAGE);
    running.failures++;
    running.lastFailure = { at: this.#now(), hook, message };
  }
}

function watching(hooks: Hooks): Hooks {
  const rest: Partial<Record<keyof Hooks, unknown>> = {};
  for (const name of Object.keys(hooks) as (keyof Hooks)[]) {
    if (!DECIDING.includes(name)) rest[name] = hooks[name];
  }
  return rest as Hooks;
}
