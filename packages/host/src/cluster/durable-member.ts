// A process of a cluster with replicated sessions: the doorway, which has the listeners, and the shards behind it.
import type { Broker, BrokerOptions } from "@wrenmq/broker";
import type { ClusterMember } from "@wrenmq/cluster-nats";
import type { ClusterSection, WrenConfig } from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import { configToOptions } from "../config-to-options.ts";
import { Reloader } from "../reload.ts";
import { shareOf } from "../share.ts";
import { listenersOfDoorway, ShardBrokers } from "./shard-brokers.ts";
import { replicatedStores, type ShardStores } from "./shard-stores.ts";

export interface DurableMemberParts {
  readonly member: ClusterMember;
  readonly cluster: ClusterSection;
  /** The configuration in use. */
  config(): WrenConfig;
  readonly own: readonly Plugin[];
  readonly dropHistory: boolean;
  readonly logger: Logger;
}

export class DurableMember {
  readonly shards: ShardBrokers;
  readonly #member: ClusterMember;
  readonly #stores: ShardStores;

  constructor({ member, cluster, config, ...rest }: DurableMemberParts) {
    this.#member = member;
    this.#stores = replicatedStores(member, cluster, config().store);
    this.shards = new ShardBrokers({
      stores: this.#stores,
      homeOf: (clientId) => member.homeOf(clientId),
      config,
      ...rest,
    });
    member.host((run) => this.shards.open(run));
  }

  /** Applies another configuration to the doorway and all shards, or nothing of it. */
  reloader(doorway: Broker, config: WrenConfig): (changed: WrenConfig) => Promise<void> {
    const own = new Reloader(doorway, { config: withoutPlugins(config), plugins: [], listeners: listenersOfDoorway });
    return async (changed) => {
      const prepared = await own.prepare(withoutPlugins(changed));
      const shards = await this.shards.prepare(changed, this.#member.partitions).catch(async (error: unknown) => {
        await prepared.abort();
        throw error;
      });
      await Promise.all([prepared.commit(), shards.commit()]);
    };
  }

  /** Closes the shards in order; then other members have them. */
  async close(): Promise<void> {
    await this.#member.giveAway();
    await this.#stores.close();
  }
}

/** Options of the broker that is the doorway. */
export async function doorwayOptions(config: WrenConfig, logger: Logger): Promise<BrokerOptions> {
  return {
    ...(await configToOptions(shareOf(config, 0, 1), logger, [])),
    listeners: listenersOfDoorway(config),
    sys: { intervalSeconds: 0 },
  };
}

/** Plugins decide at the shards. */
function withoutPlugins(config: WrenConfig): WrenConfig {
  return { ...config, plugins: [] };
}
