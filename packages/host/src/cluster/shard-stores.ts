// The store of each run of a shard: a replicated journal, with a local copy in a folder.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ClusterMember, ShardRun } from "@wrenmq/cluster-nats";
import type { ClusterSection, StoreSection } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import { type Store, StoreError } from "@wrenmq/store";
import { makeFolder } from "@wrenmq/store-file";
import { part } from "../share.ts";

/** Makes the store of a run. It is opened by the broker; `run.lost` is to be called when it is fenced. */
export interface ShardStores {
  storeFor(run: ShardRun, logger: Logger): Promise<Store>;
  /** When no store is open any more. */
  close(): Promise<void>;
}

export function replicatedStores(member: ClusterMember, cluster: ClusterSection, store: StoreSection): ShardStores {
  // Before the first shard comes: the socket for commands is in it, too.
  if (store.path !== undefined) makeDataFolder(store.path);
  let temporary: Promise<string> | undefined;
  // Without a folder of the operator: the copies are made anew at each opening, so they may be anywhere.
  const folder = async (): Promise<string> => {
    if (store.path !== undefined) return store.path;
    temporary ??= mkdtemp(join(tmpdir(), "wrenmq-shards-"));
    return temporary;
  };
  return {
    async storeFor({ shard, epoch, count, lost }, logger) {
      const { ReplicatedStore } = await import("@wrenmq/store-nats");
      const { maxBytes = 0 } = store;
      return new ReplicatedStore({
        directory: join(await folder(), `shard-${shard}`),
        stream: `WREN_${cluster.name}_J${shard}`,
        connection: member.nats,
        replicas: cluster.replicas,
        owner: `${cluster.member ?? member.id}, run ${epoch}`,
        onDeposed: lost,
        ...(maxBytes > 0 ? { maxBytes: part(maxBytes, count) } : {}),
        onNotice: (given) => {
          const { error, ...details } = { error: undefined, ...given };
          logger.warn({ ...details, ...(error === undefined ? {} : { err: error }) }, `store: ${given.notice}`);
        },
      });
    },
    async close() {
      if (temporary !== undefined) await rm(await temporary, { recursive: true, force: true });
    },
  };
}

/** @throws StoreError ERR_STORE_OPEN */
function makeDataFolder(path: string): void {
  try {
    makeFolder(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StoreError("ERR_STORE_OPEN", `the folder ${path} cannot be made: ${reason}`, { cause });
  }
}
