// Reload at SIGHUP: reads and checks the configuration again, and applies what is different. What can fail is done
// first, while everything goes on as before; after an error nothing has changed, and the log has the reason.
import type { Broker, ListenerOptions, PreparedChange } from "@wrenmq/broker";
import {
  type ConfigChange,
  configChanges,
  type Diagnostic,
  diffConfig,
  formatDiagnostic,
  type ReloadPlan,
  type WrenConfig,
} from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { type Describe, messageOf } from "./describe.ts";
import { listenersToOptions } from "./listener-options.ts";
import { loadPlugins } from "./plugins/load-plugin.ts";
import type { EffectiveConfig, Running } from "./read-config.ts";

/** What a reload needs. */
export interface ReloadOptions {
  /** The configuration in use when the process has started. */
  readonly running: Running;
  readonly logger: Logger;
  /**
   * Reads the configuration again.
   * @throws when it has errors
   */
  read(running: Running): Promise<EffectiveConfig>;
  /**
   * Applies it, or nothing of it.
   * @throws when it cannot be applied
   */
  change(config: WrenConfig, plugins: readonly Plugin[]): Promise<void>;
  /** Called when it is in use. Default: nothing is called. */
  changed?(config: WrenConfig): void;
  /** One line about an error. Default: its message. */
  readonly describe?: Describe;
}

/** The result of a reload, or what it would be. */
export interface ReloadOutcome {
  /** Is anything different? */
  readonly changed: boolean;
  /** Key by key, secrets masked. */
  readonly changes: readonly ConfigChange[];
  /** One line each, with the place in the file. */
  readonly warnings: readonly string[];
  /** Path of the configuration; absent: there is no file. */
  readonly source?: string;
  /** Sections whose changes need a restart. */
  readonly needsRestart: readonly string[];
  /** Why nothing has changed; absent: the reload has succeeded. */
  readonly problem?: string;
}

export interface ReloadHow {
  /**
   * Only reads and checks the configuration, and says what would change. What shows when it is applied, such as a port
   * that is taken, is not found. Default false.
   */
  readonly dryRun?: boolean;
}

export type Reload = (how?: ReloadHow) => Promise<ReloadOutcome>;

const NOTHING: ReloadOutcome = { changed: false, changes: [], warnings: [], needsRestart: [] };

/**
 * The function to call at SIGHUP. Reloads run one after the other; a call is dropped while another one waits that has
 * read nothing yet. The promise never rejects.
 */
export function reloading(options: ReloadOptions): Reload {
  const { running, logger, read, change, describe = messageOf } = options;
  let last: Promise<ReloadOutcome> = Promise.resolve(NOTHING);
  /** A reload waits that has read nothing yet. */
  let isDue = false;
  let current = running;
  const reload = async (): Promise<ReloadOutcome> => {
    isDue = false;
    const { config: wanted, warnings, plugins } = await read(current);
    const plan = diffConfig(current.config, wanted);
    const outcome = outcomeOf(plan, current.config, wanted, warnings);
    for (const warning of outcome.warnings) logger.warn({}, warning);
    const { store, workers, warmUp, shared, pluginTimeout, session, sys, admin, dollarTopics } = current.config;
    const possible = { ...wanted, admin, store, workers, warmUp, shared, pluginTimeout, session, sys, dollarTopics };
    await change(possible, plugins);
    current = { config: possible, plugins };
    const { needsRestart } = outcome;
    if (needsRestart.length > 0) logger.warn({ sections: needsRestart }, "changes of these sections need a restart");
    logger.info(summary(plan), plan.empty ? "configuration reloaded: nothing is different" : "configuration reloaded");
    options.changed?.(wanted);
    return outcome;
  };
  const look = async (): Promise<ReloadOutcome> => {
    const { config: wanted, warnings } = await read(current);
    return outcomeOf(diffConfig(current.config, wanted), current.config, wanted, warnings);
  };
  return ({ dryRun = false } = {}) => {
    if (dryRun) return last.then(look).catch((error: unknown) => ({ ...NOTHING, problem: describe(error) }));
    if (isDue) return last;
    isDue = true;
    last = last.then(reload).catch((error: unknown) => {
      const problem = describe(error);
      logger.error({ reason: problem }, "the configuration was not reloaded: nothing has changed");
      return { ...NOTHING, problem };
    });
    return last;
  };
}

function outcomeOf(
  { empty, needsRestart, settingsChanged }: ReloadPlan,
  before: WrenConfig,
  after: WrenConfig,
  warnings: readonly Diagnostic[],
): ReloadOutcome {
  return {
    changed: !empty,
    changes: configChanges(before, after),
    warnings: warnings.map(formatDiagnostic),
    ...(after.source === undefined ? {} : { source: after.source }),
    needsRestart: [...needsRestart, ...settingsChanged.filter((name) => name === "session" || name === "sys")],
  };
}

type ToListeners = (config: WrenConfig) => Readonly<Record<string, ListenerOptions>>;

export class Reloader {
  readonly #broker: Broker;
  #config: WrenConfig;
  #plugins: readonly Plugin[];
  readonly #own: readonly Plugin[];
  readonly #listeners: ToListeners;

  /** @param given the plugins of the configuration, and those of the program, which stay */
  constructor(
    broker: Broker,
    given: {
      readonly config: WrenConfig;
      readonly plugins: readonly Plugin[];
      readonly own?: readonly Plugin[];
      /** Default: the listeners of the configuration. */
      readonly listeners?: ToListeners;
    },
  ) {
    this.#broker = broker;
    this.#config = given.config;
    this.#plugins = given.plugins;
    this.#own = given.own ?? [];
    this.#listeners = given.listeners ?? listenersToOptions;
  }

  /**
   * Prepares another configuration: what can fail is done, and clients are not affected.
   * @param loaded plugins of the configuration that were made already
   * @throws when it cannot be applied; nothing has changed then
   */
  async prepare(config: WrenConfig, loaded: readonly Plugin[] = []): Promise<PreparedChange> {
    const plan = diffConfig(this.#config, config);
    const plugins = await this.#changedPlugins(plan, config, loaded);
    const prepared = await this.#broker.prepare({
      listeners: this.#listeners(config),
      limits: { ...config.limits, keepAliveExtra: config.keepAlive.extraDelaySeconds },
      ...(plugins === undefined ? {} : { plugins: [...plugins, ...this.#own] }),
    });
    return {
      abort: () => prepared.abort(),
      commit: async () => {
        this.#config = config;
        this.#plugins = plugins ?? this.#plugins;
        await prepared.commit();
      },
    };
  }

  /**
   * Applies another configuration, or nothing of it.
   * @throws when it cannot be applied
   */
  async change(config: WrenConfig, loaded?: readonly Plugin[]): Promise<void> {
    await (await this.prepare(config, loaded)).commit();
  }

  async #changedPlugins(
    { plugins }: ReloadPlan,
    config: WrenConfig,
    loaded: readonly Plugin[],
  ): Promise<Plugin[] | undefined> {
    const { added, removed, changed, reordered, kept } = plugins;
    if (added.length + removed.length + changed.length === 0 && !reordered) return undefined;
    // A plugin with the same entry stays, with its state.
    const going = this.#plugins.filter(({ name }) => kept.includes(name));
    return loadPlugins(config, new Map([...loaded, ...going].map((one) => [one.name, one])));
  }
}

function summary({ listeners, plugins, limitsChanged, settingsChanged }: ReloadPlan): object {
  const names = (list: readonly { readonly name: string }[]): string[] => list.map(({ name }) => name);
  const parts = {
    listenersAdded: names(listeners.added),
    listenersRemoved: listeners.removed,
    listenersReopened: names(listeners.rebound),
    listenersChanged: listeners.updated.map(({ listener }) => listener.name),
    pluginsAdded: names(plugins.added),
    pluginsRemoved: plugins.removed,
    pluginsChanged: names(plugins.changed),
    limits: limitsChanged,
    settings: settingsChanged,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, list]) => list.length > 0));
}
