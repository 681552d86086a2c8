// The shards of a cluster that this process runs, as members, and the doorway that their connections come through.
import { type Broker, systemClock } from "@wrenmq/broker";
import type { Logger } from "@wrenmq/plugin-api";
import { LocalMember } from "./local-member.ts";
import { type Member, MemberMissing, type Members } from "./member.ts";

/** Brokers of this process that come and go. */
export interface ShardsHere {
  /** By the number of the shard. */
  readonly all: ReadonlyMap<number, Broker>;
  /** The shard that a client belongs to, here or in another process. */
  homeOf(clientId: string): number;
  /** Calls back when there is one more. @returns ends it */
  onOpen(callback: (shard: number, broker: Broker) => void): () => void;
}

/** What other processes serve is missing: they answer for themselves. */
export function shardsAsMembers(doorway: Broker, shards: ShardsHere, logger: Logger): Members {
  const known = new Map<Broker, LocalMember>();
  const memberOf = (broker: Broker, name: string, label: string): LocalMember => {
    let member = known.get(broker);
    if (member === undefined) {
      member = new LocalMember(broker, logger, systemClock, { name, label });
      known.set(broker, member);
    }
    return member;
  };
  const shardMember = (broker: Broker, shard: number): LocalMember => memberOf(broker, `shard ${shard}`, String(shard));
  return {
    get all() {
      const here = [...shards.all].sort(([one], [other]) => one - other);
      for (const [broker, member] of known) {
        if (broker === doorway || here.some(([, one]) => one === broker)) continue;
        member.close();
        known.delete(broker);
      }
      return [memberOf(doorway, "doorway", "doorway"), ...here.map(([shard, broker]) => shardMember(broker, shard))];
    },
    homeOf(clientId) {
      const shard = shards.homeOf(clientId);
      const broker = shards.all.get(shard);
      return broker === undefined ? elsewhere(shard) : shardMember(broker, shard);
    },
    onBack: (callback) => {
      shards.onOpen((shard, broker) => callback(shardMember(broker, shard)));
    },
  };
}

function elsewhere(shard: number): Member {
  const name = { name: `shard ${shard}, which another process serves,`, label: String(shard) };
  const missing = (): never => {
    throw new MemberMissing(name, false);
  };
  return { ...name, up: false, ask: async () => missing(), stream: missing };
}
