// The brokers of the shards that this process runs: each with the plugins, limits and names of listeners of the
// configuration, a store of its own, and no listener that listens: connections come from the doorway.
import {
  type Broker,
  type BrokerOptions,
  createBroker,
  type ListenerOptions,
  type PreparedChange,
} from "@wrenmq/broker";
import type { RunningShard, ShardRun } from "@wrenmq/cluster-nats";
import type { WrenConfig } from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { configToOptions } from "../config-to-options.ts";
import { listenersToOptions } from "../listener-options.ts";
import { loadPlugins } from "../plugins/load-plugin.ts";
import { Reloader } from "../reload.ts";
import { shareOf } from "../share.ts";
import type { ShardStores } from "./shard-stores.ts";

export interface ShardBrokersParts {
  readonly stores: ShardStores;
  /** The shard that a client belongs to. */
  homeOf(clientId: string): number;
  /** The configuration in use. */
  config(): WrenConfig;
  /** Plugins of the program: they are set up for each shard. */
  readonly own: readonly Plugin[];
  readonly dropHistory: boolean;
  readonly logger: Logger;
}

interface Running {
  readonly broker: Broker;
  readonly reloader: Reloader;
}

export class ShardBrokers {
  readonly #parts: ShardBrokersParts;
  readonly #running = new Map<number, Running>();
  /** Called when a shard serves clients. */
  readonly #whenOpen = new Set<(shard: number, broker: Broker) => void>();

  constructor(parts: ShardBrokersParts) {
    this.#parts = parts;
  }

  /** Those that serve clients, by the number of the shard. */
  get all(): ReadonlyMap<number, Broker> {
    return new Map([...this.#running].map(([shard, { broker }]) => [shard, broker]));
  }

  homeOf(clientId: string): number {
    return this.#parts.homeOf(clientId);
  }

  /** Calls back when a shard serves clients here. @returns ends it */
  onOpen(callback: (shard: number, broker: Broker) => void): () => void {
    this.#whenOpen.add(callback);
    return () => this.#whenOpen.delete(callback);
  }

  /** For `ClusterMember.host`. */
  async open(run: ShardRun): Promise<RunningShard> {
    const { shard, epoch, count, signal } = run;
    const logger = this.#parts.logger.child({ shard });
    const config = shareOf(this.#parts.config(), shard, count);
    const plugins = await loadPlugins(config);
    const broker = createBroker(await this.#options(run, config, plugins, logger));
    const abandon = (): void => void broker.abandon();
    signal.addEventListener("abort", abandon);
    const begun = performance.now();
    try {
      await broker.start();
    } finally {
      signal.removeEventListener("abort", abandon);
    }
    const { own } = this.#parts;
    const reloader = new Reloader(broker, { config, plugins, own, listeners: listenersOfShards });
    this.#running.set(shard, { broker, reloader });
    const endService = run.serve((connection, listener) => {
      try {
        return broker.take(connection, listener);
      } catch {
        // The listener is gone here, or the broker stops: the client will connect again.
        return undefined;
      }
    });
    logger.info({ run: epoch, milliseconds: Math.round(performance.now() - begun) }, "the shard serves its clients");
    for (const callback of this.#whenOpen) callback(shard, broker);
    const ended = (): void => {
      endService();
      if (this.#running.get(shard)?.broker === broker) this.#running.delete(shard);
    };
    return {
      close: async (reason) => {
        ended();
        await broker.shutdown({ elsewhere: reason === "moves" }).catch((error: unknown) => {
          logger.error({ err: error }, "the shard did not close in order");
          return broker.abandon();
        });
        logger.info({ run: epoch }, "the shard is closed");
      },
      abandon: async () => {
        const { connected } = broker;
        ended();
        await broker.abandon();
        logger.warn(
          { run: epoch, clients: connected },
          "the shard is another member's now: its connections here are cut",
        );
      },
    };
  }

  /** Prepares another configuration for all shards, as `broker.prepare` does. */
  async prepare(config: WrenConfig, count: number): Promise<PreparedChange> {
    const prepared: PreparedChange[] = [];
    const abort = async (): Promise<void> => {
      await Promise.all(prepared.map((change) => change.abort()));
    };
    try {
      for (const [shard, { reloader }] of this.#running) {
        prepared.push(await reloader.prepare(shareOf(config, shard, count)));
      }
    } catch (error) {
      await abort();
      throw error;
    }
    return {
      abort,
      commit: async () => {
        await Promise.all(prepared.map((change) => change.commit()));
      },
    };
  }

  async #options(
    run: ShardRun,
    config: WrenConfig,
    plugins: readonly Plugin[],
    logger: Logger,
  ): Promise<BrokerOptions> {
    const { stores, own, dropHistory } = this.#parts;
    return {
      ...(await configToOptions(config, logger, [...plugins, ...own])),
      listeners: listenersOfShards(config),
      store: await stores.storeFor(run, logger),
      bus: run.bus,
      placement: run.placement,
      takeoverGrace: config.cluster?.takeoverGrace ?? 0,
      dropHistory,
    };
  }
}

/** The rules of each listener, without its address. */
function listenersOfShards(config: Pick<WrenConfig, "listeners" | "limits">): Record<string, ListenerOptions> {
  const all = Object.entries(listenersToOptions(config));
  return Object.fromEntries(
    all.map(([name, options]) => {
      const { plugins, limits, maxConnections } = options;
      const maxPayload = "websocket" in options ? options.websocket?.maxPayload : undefined;
      const longest = limits?.maximumPacketSize ?? config.limits.maximumPacketSize;
      const shorter = maxPayload !== undefined && maxPayload < longest ? { maximumPacketSize: maxPayload } : {};
      return [
        name,
        {
          type: "external",
          limits: { ...limits, ...shorter },
          ...(plugins === undefined ? {} : { plugins }),
          ...(maxConnections === undefined ? {} : { maxConnections }),
        },
      ];
    }),
  );
}

/** The listeners of the doorway: plugins decide about clients at the shards. */
export function listenersOfDoorway(config: Pick<WrenConfig, "listeners">): Record<string, ListenerOptions> {
  const all = Object.entries(listenersToOptions(config));
  return Object.fromEntries(all.map(([name, { plugins: _plugins, ...rest }]) => [name, rest as ListenerOptions]));
}
