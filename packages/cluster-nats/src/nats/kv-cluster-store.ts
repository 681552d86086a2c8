// The shared values of a cluster in a key-value bucket of JetStream.
import { JetStreamApiError, jetstream } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { type NatsConnection, PermissionViolationError } from "@nats-io/transport-node";
import { ClusterError } from "@wrenmq/cluster";
import type { ClusterStore } from "../membership/cluster-store.ts";
import { reasonOf, sleep } from "./nats-connection.ts";

/** Milliseconds that an operation may take. */
const TIMEOUT = 1_000;
/** Milliseconds between two attempts to open the bucket. */
const RETRY = 500;
/** Codes of JetStream's errors: compare-and-set has failed; the replicas cannot be had. */
const WRONG_LAST_SEQUENCE = 10_071;
const NO_REPLICAS = [10_005, 10_074];

export function bucketOf(cluster: string): string {
  return `WREN_${cluster}`;
}

/**
 * Opens the bucket, or creates it with this many replicas. While JetStream cannot answer it tries again.
 * @throws ClusterError ERR_CLUSTER_NATS: it can never be opened; the signal's reason
 */
export async function openClusterStore(
  nats: NatsConnection,
  cluster: string,
  { replicas, signal, said }: { readonly replicas: number; readonly signal: AbortSignal; said(line: string): void },
): Promise<ClusterStore> {
  const bucket = bucketOf(cluster);
  for (let attempt = 1; ; attempt++) {
    signal.throwIfAborted();
    if (nats.info?.jetstream !== true) {
      throw new ClusterError("ERR_CLUSTER_NATS", `NATS server ${nats.getServer()} runs without JetStream`);
    }
    try {
      return kvStore(await new Kvm(jetstream(nats, { timeout: TIMEOUT })).create(bucket, { replicas, history: 1 }));
    } catch (cause) {
      const isRefused = cause instanceof PermissionViolationError || cause instanceof PermissionViolationError;
      if (isRefused || hasCause(cause, PermissionViolationError)) {
        throw new ClusterError("ERR_CLUSTER_NATS", `NATS does not permit what the cluster needs: ${reasonOf(cause)}`, {
          cause,
        });
      }
      if (cause instanceof JetStreamApiError && NO_REPLICAS.includes(cause.code)) {
        const reason = `cluster.replicas: NATS cannot keep ${replicas} replicas of bucket ${bucket}: ${cause.message}`;
        throw new ClusterError("ERR_CLUSTER_NATS", reason, { cause });
      }
      if (attempt === 2) said(`JetStream does not answer: ${reasonOf(cause)}; trying again until it does`);
    }
    await sleep(RETRY, signal);
  }
}

function hasCause(error: unknown, type: new (...args: never[]) => Error): boolean {
  return error instanceof Error && (error.cause instanceof type || hasCause(error.cause, type));
}

function kvStore(kv: KV): ClusterStore {
  return {
    async read(key) {
      const entry = await kv.get(key);
      return entry === null ? undefined : { text: entry.string(), revision: entry.revision };
    },
    async write(key, text, expected) {
      try {
        return await (expected === 0 ? kv.create(key, text) : kv.update(key, text, expected));
      } catch (error) {
        if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return undefined;
        throw error;
      }
    },
  };
}
