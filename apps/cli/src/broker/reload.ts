// SIGHUP: the configuration is read and checked again, and what is different is applied. What can fail comes first, while
// everything goes on as before: if something does, nothing has changed, and the log says why.
import type { Broker, BrokerOptions, PreparedChange } from "@wrenmq/broker";
import { diffConfig, formatDiagnostic, type ReloadPlan, type WrenConfig } from "@wrenmq/config";
import type { Plugin } from "@wrenmq/plugin-api";
import type { Logger } from "pino";
import { lineOf } from "../errors.ts";
import { loadPlugins } from "../plugins/load-plugin.ts";
import type { EffectiveConfig, Running } from "./effective-config.ts";
import { listenersToOptions } from "./listener-options.ts";

/** What SIGHUP asks for. */
export interface ReloadOptions {
  /** What runs when the process has started. */
  readonly running: Running;
  readonly logger: Logger;
  /** Reads the configuration again. @throws when it is bad */
  read(running: Running): Promise<EffectiveConfig>;
  /** Applies it, or nothing of it. @throws */
  change(config: WrenConfig, plugins: readonly Plugin[]): Promise<void>;
}

/** What a reload came to. */
export interface ReloadOutcome {
  readonly changed: boolean;
  /** Sections whose changes wait for a restart. */
  readonly needsRestart: readonly string[];
  /** Why nothing has changed. */
  readonly problem?: string;
}

/**
 * What to do at SIGHUP: one after the other, and no more of them than can find something new. Its promise never rejects.
 */
export function reloading({ running, logger, read, change }: ReloadOptions): () => Promise<ReloadOutcome> {
  let last: Promise<ReloadOutcome> = Promise.resolve({ changed: false, needsRestart: [] });
  /** One has been asked for that has not read anything yet. */
  let isDue = false;
  let current = running;
  const reload = async (): Promise<ReloadOutcome> => {
    isDue = false;
    const { config: wanted, warnings, plugins } = await read(current);
    const plan = diffConfig(current.config, wanted);
    for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
    const { store, workers, warmUp, shared, pluginTimeout, session, sys, admin, dollarTopics } = current.config;
    const possible = { ...wanted, admin, store, workers, warmUp, shared, pluginTimeout, session, sys, dollarTopics };
    await change(possible, plugins);
    current = { config: possible, plugins };
    const restart = [
      ...plan.needsRestart,
      ...plan.settingsChanged.filter((name) => name === "session" || name === "sys"),
    ];
    if (restart.length > 0) logger.warn({ sections: restart }, "changes of these sections need a restart");
    logger.info(summary(plan), plan.empty ? "configuration reloaded: nothing is different" : "configuration reloaded");
    logger.level = wanted.log.level;
    return { changed: !plan.empty, needsRestart: restart };
  };
  return () => {
    if (isDue) return last;
    isDue = true;
    last = last.then(reload).catch((error: unknown) => {
      const problem = lineOf(error);
      logger.error({ reason: problem }, "the configuration was not reloaded: nothing has changed");
      return { changed: false, needsRestart: [], problem };
    });
    return last;
  };
}

export class Reloader {
  readonly #broker: Broker;
  #config: WrenConfig;
  #plugins: readonly Plugin[];

  constructor(broker: Broker, given: { readonly config: WrenConfig; readonly options: BrokerOptions }) {
    this.#broker = broker;
    this.#config = given.config;
    this.#plugins = given.options.plugins ?? [];
  }

  /**
   * Gets another configuration ready; what can fail has been done then, and whoever is connected has noticed nothing.
   * @param loaded plugins of the configuration that have been made already
   * @throws what keeps it from being applied; nothing has changed then
   */
  async prepare(config: WrenConfig, loaded: readonly Plugin[] = []): Promise<PreparedChange> {
    const plan = diffConfig(this.#config, config);
    const plugins = await this.#changedPlugins(plan, config, loaded);
    const prepared = await this.#broker.prepare({
      listeners: listenersToOptions(config),
      limits: { ...config.limits, keepAliveExtra: config.keepAlive.extraDelaySeconds },
      ...(plugins === undefined ? {} : { plugins }),
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

  /** Applies another configuration, or nothing of it. @throws what keeps it from being applied */
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
    // Whose entry is the same goes on, with all that it knows.
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
