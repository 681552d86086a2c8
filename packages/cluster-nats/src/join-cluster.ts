// How a broker becomes a member of a cluster on NATS: connects, opens the bucket, and takes its place among the members.
import { randomUUID } from "node:crypto";
import { ClusterError, WIRE_VERSION } from "@wrenmq/cluster";
import { ClusterMember } from "./cluster-member.ts";
import { type Joining, join } from "./membership/join.ts";
import { TIMING } from "./membership/timing.ts";
import { ClusterSubjects } from "./nats/cluster-subjects.ts";
import { ConnectionWatch } from "./nats/connection-watch.ts";
import { openClusterStore } from "./nats/kv-cluster-store.ts";
import { connectToNats, type NatsOptions, reasonOf, sleep } from "./nats/nats-connection.ts";
import { systemClock } from "./system-clock.ts";

/** Each partition costs next to nothing: with many of them the parts of the members are nearly equal. */
const PARTITIONS = 16;
/**
 * Each shard keeps all retained messages and gets each message for everybody, so there are few. Six divide evenly among
 * 1, 2, 3 and 6 processes.
 */
const SHARDS = 6;

export interface ClusterOptions {
  /** Letters, digits, `-` and `_`: it is a part of subjects, and of the name of a bucket. */
  readonly name: string;
  /** Name of this member: another one than that of every other member. */
  readonly member: string;
  readonly nats: NatsOptions;
  /** The same for all members, for ever. Default 16; 6 where sessions are replicated. */
  readonly partitions?: number;
  /**
   * Are sessions replicated? Then partitions are shards: see `ClusterMember.host`. The same for all members, for ever.
   * Default false.
   */
  readonly durable?: boolean;
  /** Of the bucket, when it is created; 1 to 5. Default: 3 where NATS servers form a cluster, otherwise 1. */
  readonly replicas?: number;
  /** Version of WrenMQ, to be shown. */
  readonly version: string;
  /** Gives up joining. Default: it never does. */
  readonly signal?: AbortSignal;
  /** One line for the log. */
  said?(line: string): void;
}

/**
 * Connects to NATS and becomes a member. Without a NATS server it says so, and tries again until there is one.
 * @throws ClusterError ERR_CLUSTER_NATS, ERR_CLUSTER_JOIN; the signal's reason
 */
export async function joinCluster(options: ClusterOptions): Promise<ClusterMember> {
  const { name, member, durable = false, version, signal = new AbortController().signal, said = () => {} } = options;
  const { partitions = durable ? SHARDS : PARTITIONS } = options;
  const nats = await connectToNats(options.nats, `wrenmq ${name} ${member}`, { signal, said });
  try {
    const replicas = options.replicas ?? (nats.info?.cluster === undefined ? 1 : 3);
    const store = await openClusterStore(nats, name, { replicas, signal, said });
    const watch = new ConnectionWatch(nats);
    const subjects = new ClusterSubjects(nats, watch, name);
    const joining: Joining = {
      cluster: name,
      name: member,
      instance: randomUUID(),
      version,
      wire: WIRE_VERSION,
      partitions,
      durable,
      store,
      clock: systemClock,
      timing: TIMING,
      listen: (heard) => subjects.listen(heard),
      sleep: (milliseconds) => sleep(milliseconds, signal),
      said,
    };
    const { self, first } = await joinWithPatience(joining, signal);
    return new ClusterMember({ cluster: name, self, first, store, nats, watch, subjects, said });
  } catch (error) {
    await nats.close();
    throw error;
  }
}

/** Milliseconds between two attempts. */
const RETRY = 500;

/** While NATS elects a leader the bucket does not answer: that is no reason to end. */
async function joinWithPatience(joining: Joining, signal: AbortSignal): ReturnType<typeof join> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await join(joining);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClusterError) throw error;
      if (attempt === 2) joining.said(`the bucket of the cluster does not answer: ${reasonOf(error)}; trying again`);
    }
    await sleep(RETRY, signal);
  }
}
