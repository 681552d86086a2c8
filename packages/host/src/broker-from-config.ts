// Makes a broker of a configuration, for programs that embed one: does everything that `wrenmq start` does in one
// process.
import { type Broker, createBroker, silentLogger } from "@wrenmq/broker";
import type { ClusterMember } from "@wrenmq/cluster-nats";
import { type ClusterSection, type Diagnostic, formatDiagnostic, type WrenConfig, workerCount } from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { prepareData, removeLeftovers } from "@wrenmq/workers/data";
import { announce, listeningOf } from "./announce.ts";
import { DurableMember, doorwayOptions } from "./cluster/durable-member.ts";
import { watchIsolation } from "./cluster/isolation.ts";
import { attachTo, joinConfigured, optionsOf } from "./cluster/member.ts";
import { configToOptions } from "./config-to-options.ts";
import type { Describe } from "./describe.ts";
import { type EffectiveConfig, type ReadOptions, type Running, readConfig } from "./read-config.ts";
import { type Reload, Reloader, reloading } from "./reload.ts";
import { shareOf } from "./share.ts";
import { type Preparation, prepareForClients } from "./warm-up.ts";

export interface HostOptions {
  /** The same interface as pino's; the caller sets its level. Default: nothing is logged. */
  readonly logger?: Logger;
  /**
   * One of the same kind that writes nothing: lines are formatted with it once, so that V8 has compiled that before the
   * first clients come. Default: none.
   */
  readonly practiceLogger?: Logger;
  /** Plugins of the program, after those of the configuration; a reload keeps them. Default: none. */
  readonly plugins?: readonly Plugin[];
  /** Keep for each session a history of what it has lost and why, for `broker.operations`. Default false. */
  readonly dropHistory?: boolean;
  /** Where a cluster is configured: gives up joining it. Default: it is tried for ever. */
  readonly signal?: AbortSignal;
  /** One line about an error of a reload. Default: its message. */
  readonly describe?: Describe;
  /** Called when a reload has applied another configuration. Default: nothing is called. */
  reloaded?(config: WrenConfig): void;
}

/** Brokers of this process that come and go. */
export interface Shards {
  /** By the number of the shard. */
  readonly all: ReadonlyMap<number, Broker>;
  /** The shard that a client belongs to, here or in another process. */
  homeOf(clientId: string): number;
  /** Calls back when there is one more. @returns ends it */
  onOpen(callback: (shard: number, broker: Broker) => void): () => void;
}

export interface ConfiguredBroker extends AsyncDisposable {
  /** Not started: call `await broker.start()`. */
  readonly broker: Broker;
  /** The configuration in use. */
  readonly config: WrenConfig;
  /** One line each, with the place in the file; they are logged too when the broker starts. */
  readonly warnings: readonly string[];
  /**
   * Reads the file again, or the given object, which the program may have changed, and applies what is different: all
   * of it, or nothing after an error (`problem`). Clients stay connected where their listener stays. `{ dryRun: true }`
   * only says what is different.
   */
  readonly reload: Reload;
  /**
   * Resolves when the other members of its cluster have declared this broker dead, and have its clients: close it. A new
   * one may join. Absent: it is no member of a cluster.
   */
  readonly replaced?: Promise<void>;
  /**
   * The parts of a cluster with replicated sessions that are served here: brokers with the clients, of which `broker` is
   * the doorway only. Absent: `broker` serves all.
   */
  readonly shards?: Shards;
  /** Gives up waiting for the other members of its cluster while the broker starts. */
  hurry(): Promise<void>;
  /** Shuts the broker down if it runs, and leaves the cluster. */
  close(): Promise<void>;
}

/** Milliseconds. */
const NO_SHARD_YET = 5_000;

/**
 * Makes a broker with the plugins, the store and the listeners of a configuration.
 *
 * @param source path of a YAML file or a plain object, in the style of WrenMQ, aMQTT or hbmqtt
 * @throws ConfigError with all errors, PluginError, StoreError, ClusterError
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

/** Called without an argument at first, and at each reload with the configuration in use. */
export type ReadEffective = (running?: Running) => EffectiveConfig | Promise<EffectiveConfig>;

/** `brokerFromConfig` for a configuration from any source. */
export async function hostBroker(read: ReadEffective, options: HostOptions = {}): Promise<ConfiguredBroker> {
  const { logger = silentLogger, plugins: own = [], dropHistory = false, describe, practiceLogger } = options;
  const { config, warnings, plugins: configured } = await read();
  const lines = [...warnings.map(formatDiagnostic)];
  const { path } = config.store;
  let current = config;
  const { cluster } = config;
  const isDurable = cluster !== undefined && cluster.replicas > 0;
  if (path !== undefined && !isDurable) await prepareData(path, 1, logger);
  const brokerOptions = isDurable
    ? await doorwayOptions(config, logger)
    : await configToOptions(shareOf(config, 0, 1), logger, [...configured, ...own]);
  const member = cluster && (await joinConfigured(cluster, logger, options.signal));
  const durable =
    isDurable && member !== undefined
      ? new DurableMember({ member, cluster, config: () => current, own, dropHistory, logger })
      : undefined;
  const broker = createBroker({ ...brokerOptions, dropHistory, ...optionsOf(member) });
  if (member !== undefined) attachTo(member, broker);
  const reloader = new Reloader(broker, { config, plugins: configured, own });
  const change =
    durable?.reloader(broker, config) ??
    ((changed: WrenConfig, loaded: readonly Plugin[]) => reloader.change(changed, loaded));

  let warm: Preparation | undefined;
  broker.on("brokerStarting", () => {
    for (const line of lines) logger.warn({}, line);
  });
  broker.on("brokerStarted", () => {
    if (path !== undefined && !isDurable) removeLeftovers(path);
    if (durable === undefined) announce(listeningOf(broker), current, logger);
    else announceDoorway(broker, durable.shards, () => current, logger);
    warm = prepareForClients(broker, current, { logger, practiceLogger, describe });
  });
  const reload = reloading({
    running: { config, plugins: configured },
    logger,
    read: async (running) => read(running),
    change,
    changed(changed) {
      current = changed;
      options.reloaded?.(changed);
    },
    ...(describe === undefined ? {} : { describe }),
  });
  const endWatch = member && cluster && isolationOf(member, cluster, { broker, shards: durable?.shards, logger });
  const close = async (): Promise<void> => {
    endWatch?.();
    await warm?.stop();
    await durable?.close();
    await broker[Symbol.asyncDispose]();
    await member?.leave();
  };
  return {
    broker,
    get config() {
      return current;
    },
    warnings: lines,
    reload,
    ...(member === undefined ? {} : { replaced: member.ended }),
    ...(durable === undefined ? {} : { shards: durable.shards }),
    hurry: async () => member?.bus.stop(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

function isolationOf(
  member: ClusterMember,
  { replicas, onIsolation = replicas > 0 ? "close" : "serve" }: ClusterSection,
  { broker, shards, logger }: { readonly broker: Broker; readonly shards: Shards | undefined; readonly logger: Logger },
): (() => void) | undefined {
  if (onIsolation === "serve") return undefined;
  return watchIsolation({
    isCertain: () => broker.state !== "started" || member.report().isCertain,
    brokers: () => [broker, ...(shards?.all.values() ?? [])],
    refuseAll: (isRefusing) => member.placement.refuseAll(isRefusing),
    logger,
  });
}

/** Clients may connect when a shard is here, or when it is clear that this process has none at first. */
function announceDoorway(doorway: Broker, shards: Shards, config: () => WrenConfig, logger: Logger): void {
  const done = (broker?: Broker): void => {
    clearTimeout(late);
    end();
    const { authenticators } = listeningOf(broker ?? doorway);
    if (doorway.state === "started") announce({ addresses: doorway.addresses, authenticators }, config(), logger);
  };
  const late = setTimeout(done, NO_SHARD_YET);
  const end = shards.onOpen((_shard, broker) => done(broker));
}

/** Sections that an embedded broker ignores. */
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
