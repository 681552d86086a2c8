// A broker from a configuration, for programs that embed one: everything that `wrenmq start` does with one process.
import { type Broker, createBroker, silentLogger } from "@wrenmq/broker";
import { type Diagnostic, formatDiagnostic, type WrenConfig, workerCount } from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { prepareData, removeLeftovers } from "@wrenmq/workers/data";
import { announce, listeningOf } from "./announce.ts";
import { configToOptions } from "./config-to-options.ts";
import type { Describe } from "./describe.ts";
import { type EffectiveConfig, type ReadOptions, type Running, readConfig } from "./read-config.ts";
import { Reloader, type ReloadOutcome, reloading } from "./reload.ts";
import { shareOf } from "./share.ts";
import { type Preparation, prepareForClients } from "./warm-up.ts";

export interface HostOptions {
  /** As pino's. Default: nothing is logged. Its level is the caller's business. */
  readonly logger?: Logger;
  /** Plugins of the program itself, asked after those of the configuration; a reload keeps them. */
  readonly plugins?: readonly Plugin[];
  /** Remember of each session what it lost and why, for `broker.operations`. Default false. */
  readonly dropHistory?: boolean;
  /** One line about an error of a reload. Default: its message. */
  readonly describe?: Describe;
  /** A reload has put another configuration in force. */
  reloaded?(config: WrenConfig): void;
}

export interface ConfiguredBroker extends AsyncDisposable {
  /** Not started yet: `await broker.start()`. */
  readonly broker: Broker;
  /** What is in force. */
  readonly config: WrenConfig;
  /** One line each, with the place in the file; logged too when the broker starts. */
  readonly warnings: readonly string[];
  /**
   * Reads the file again, or the object that was given, which the program may have changed, and applies what is different:
   * all of it or, where something is wrong, nothing (`problem`). Clients stay connected where their listener stays.
   */
  reload(): Promise<ReloadOutcome>;
  /** Shuts the broker down if it runs. */
  close(): Promise<void>;
}

/**
 * Makes a broker from a configuration, with its plugins, found by their names, its store and its listeners.
 *
 * @param source path of a YAML file or a plain object, in WrenMQ's own form, aMQTT's or hbmqtt's
 * @throws ConfigError with every mistake, PluginError, StoreError
 */
export function brokerFromConfig(
  source: string | object,
  options: HostOptions & Omit<ReadOptions, "adjust" | "running"> = {},
): Promise<ConfiguredBroker> {
  return hostBroker(async (running) => {
    const read = await readConfig(source, { ...options, ...(running === undefined ? {} : { running }) });
    return { ...read, warnings: [...read.warnings, ...leftToTheCommand(read.config)] };
  }, options);
}

/** Called without an argument at first, and at each reload with what is in force. */
export type ReadEffective = (running?: Running) => EffectiveConfig | Promise<EffectiveConfig>;

/** As `brokerFromConfig`, with a configuration of any origin. */
export async function hostBroker(read: ReadEffective, options: HostOptions = {}): Promise<ConfiguredBroker> {
  const { logger = silentLogger, plugins: own = [], dropHistory = false, describe } = options;
  const { config, warnings, plugins: configured } = await read();
  const lines = [...warnings.map(formatDiagnostic)];
  const { path } = config.store;
  if (path !== undefined) await prepareData(path, 1, logger);
  const brokerOptions = await configToOptions(shareOf(config, 0, 1), logger, [...configured, ...own]);
  const broker = createBroker({ ...brokerOptions, dropHistory });
  const reloader = new Reloader(broker, { config, plugins: configured, own });
  let current = config;
  let warm: Preparation | undefined;
  broker.on("brokerStarting", () => {
    for (const line of lines) logger.warn({}, line);
  });
  broker.on("brokerStarted", () => {
    if (path !== undefined) removeLeftovers(path);
    announce(listeningOf(broker), current, logger);
    warm = prepareForClients(broker, current, logger, describe);
  });
  const reload = reloading({
    running: { config, plugins: configured },
    logger,
    read: async (running) => read(running),
    change: (changed, loaded) => reloader.change(changed, loaded),
    changed(changed) {
      current = changed;
      options.reloaded?.(changed);
    },
    ...(describe === undefined ? {} : { describe }),
  });
  const close = async (): Promise<void> => {
    await warm?.stop();
    await broker[Symbol.asyncDispose]();
  };
  return {
    broker,
    get config() {
      return current;
    },
    warnings: lines,
    reload,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What an embedded broker does not do. */
function leftToTheCommand({ workers, admin }: WrenConfig): Diagnostic[] {
  const found: Diagnostic[] = [];
  if (workerCount(workers) > 1) {
    found.push({ key: "workers", message: "an embedded broker is one process (see @wrenmq/workers)" });
  }
  if (admin.bind !== undefined) {
    found.push({ key: "admin.bind", message: "an embedded broker serves no admin API (see @wrenmq/admin)" });
  }
  return found;
}
