// SIGHUP: the configuration is read and checked again, and what is different is applied. What can fail comes first, and
// is undone when something does: then everything is as before, and the log says why.
import type { Broker, BrokerOptions } from "@wrenmq/broker";
import { diffConfig, formatDiagnostic, type ListenerSection, type ReloadPlan, type WrenConfig } from "@wrenmq/config";
import type { Logger } from "pino";
import { lineOf } from "../errors.ts";
import { loadPlugins } from "../plugins/load-plugin.ts";
import type { EffectiveConfig } from "./effective-config.ts";
import { listenerToOptions } from "./listener-options.ts";

/** What SIGHUP asks for. */
export interface ReloadOptions {
  /** As it is when the process starts. */
  readonly config: WrenConfig;
  readonly logger: Logger;
  /** Reads the configuration again. @throws when it is bad */
  read(): EffectiveConfig;
  /** Applies it, or nothing of it. @throws */
  change(config: WrenConfig): Promise<void>;
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
export function reloading({ config, logger, read, change }: ReloadOptions): () => Promise<ReloadOutcome> {
  let last: Promise<ReloadOutcome> = Promise.resolve({ changed: false, needsRestart: [] });
  /** One has been asked for that has not read anything yet. */
  let isDue = false;
  let current = config;
  const reload = async (): Promise<ReloadOutcome> => {
    isDue = false;
    const { config: wanted, warnings } = read();
    const plan = diffConfig(current, wanted);
    for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
    const { store, workers, warmUp, shared, pluginTimeoutMs, session, sys, admin } = current;
    const possible = { ...wanted, admin, store, workers, warmUp, shared, pluginTimeoutMs, session, sys };
    await change(possible);
    current = possible;
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

/** Of a listener that goes on listening only these can change. */
const CHANGEABLE: ReadonlySet<keyof ListenerSection> = new Set(["access", "limits", "maxConnections"]);

export class Reloader {
  readonly #broker: Broker;
  readonly #logger: Logger;
  #config: WrenConfig;
  #plugins: BrokerOptions["plugins"];

  constructor(
    broker: Broker,
    given: { readonly config: WrenConfig; readonly options: BrokerOptions; readonly logger: Logger },
  ) {
    this.#broker = broker;
    this.#config = given.config;
    this.#plugins = given.options.plugins;
    this.#logger = given.logger;
  }

  /** Applies another configuration, or nothing of it. @throws what keeps it from being applied */
  async change(config: WrenConfig): Promise<void> {
    await this.#apply(diffConfig(this.#config, config), config);
    await this.#broker.reloadCertificates().catch((error: unknown) => {
      this.#logger.warn({ reason: lineOf(error) }, "certificates stay as they were");
    });
    this.#config = config;
  }

  async #apply(plan: ReloadPlan, config: WrenConfig): Promise<void> {
    const undo: (() => Promise<unknown>)[] = [];
    try {
      await this.#applyPlugins(plan, config, undo);
      await this.#applyListeners(plan, config, undo);
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
    for (const { listener, changed } of plan.listeners.updated) {
      if (!changed.every((key) => CHANGEABLE.has(key))) continue;
      const { limits, maxConnections, plugins } = listenerToOptions(listener);
      this.#broker.updateListener(listener.name, {
        ...(limits === undefined ? {} : { limits }),
        ...(maxConnections === undefined ? {} : { maxConnections }),
        ...(plugins === undefined ? {} : { plugins }),
      });
    }
    if (plan.limitsChanged.length > 0 || plan.settingsChanged.includes("keepAlive")) {
      const { extraDelaySeconds: keepAliveExtra } = config.keepAlive;
      this.#broker.setLimits({ ...config.limits, keepAliveExtra });
    }
  }

  async #applyPlugins({ plugins }: ReloadPlan, config: WrenConfig, undo: (() => Promise<unknown>)[]): Promise<void> {
    const { added, removed, changed, reordered } = plugins;
    if (added.length + removed.length + changed.length === 0 && !reordered) return;
    const before = this.#plugins ?? [];
    // Whose entry is the same goes on, with all that it knows.
    const kept = new Map(before.filter(({ name }) => plugins.kept.includes(name)).map((one) => [one.name, one]));
    const made = await loadPlugins(config, kept);
    await this.#broker.setPlugins(made);
    this.#plugins = made;
    undo.push(() => {
      this.#plugins = before;
      return this.#broker.setPlugins(before);
    });
  }

  async #applyListeners(
    { listeners }: ReloadPlan,
    config: WrenConfig,
    undo: (() => Promise<unknown>)[],
  ): Promise<void> {
    const before = new Map(this.#config.listeners.map((listener) => [listener.name, listener]));
    const add = async (listener: ListenerSection): Promise<void> => {
      await this.#broker.addListener(listener.name, listenerToOptions(listener));
      undo.push(() => this.#broker.removeListener(listener.name));
    };
    const remove = async (name: string): Promise<void> => {
      const old = before.get(name);
      if (!(await this.#broker.removeListener(name)) || old === undefined) return;
      undo.push(() => this.#broker.addListener(name, listenerToOptions(old)));
    };
    const reopened = [
      ...listeners.rebound,
      ...listeners.updated
        .filter(({ changed }) => !changed.every((key) => CHANGEABLE.has(key)))
        .map((one) => one.listener),
    ];
    const closing = [...listeners.removed, ...reopened.map(({ name }) => name)].flatMap(
      (name) => before.get(name) ?? [],
    );
    // What does not need the address of another goes first: if it fails, nobody has been disconnected yet.
    const waits = ({ port, path }: ListenerSection): boolean =>
      closing.some((old) => (port === undefined ? old.path === path : old.port === port));
    for (const listener of listeners.added.filter((one) => !waits(one))) await add(listener);
    for (const name of listeners.removed) await remove(name);
    for (const listener of reopened) {
      await remove(listener.name);
      await add(listener);
    }
    for (const listener of listeners.added.filter(waits)) await add(listener);
    this.#logger.debug({ listeners: config.listeners.length }, "listeners are as configured");
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
