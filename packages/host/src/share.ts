// The part of the configuration that each of several workers gets; a single process gets all of it.
import type { StoreSection, WrenConfig } from "@wrenmq/config";
import { storePath } from "@wrenmq/workers/data";

/** Limits of the whole broker are divided; the store is a separate folder for each worker. */
export function shareOf(config: WrenConfig, self: number, count: number): WrenConfig {
  const { limits, listeners } = config;
  return {
    ...config,
    limits: {
      ...limits,
      maxConnections: part(limits.maxConnections, count),
      maxSessions: part(limits.maxSessions, count),
    },
    listeners: listeners.map((listener) => ({
      ...listener,
      maxConnections: part(listener.maxConnections, count),
      limits:
        listener.limits.maxConnections === undefined
          ? listener.limits
          : { ...listener.limits, maxConnections: part(listener.limits.maxConnections, count) },
    })),
    // A member of a cluster has none, or one for each shard that it runs: see cluster/shard-stores.ts.
    store: config.cluster === undefined ? storeOf(config.store, self, count) : { durability: "memory" },
  };
}

function storeOf(store: StoreSection, self: number, count: number): StoreSection {
  const { path, maxBytes } = store;
  return {
    ...store,
    ...(path === undefined ? {} : { path: storePath(path, self, count) }),
    ...(maxBytes === undefined ? {} : { maxBytes: part(maxBytes, count) }),
  };
}

/** 0 (no limit) stays 0. */
export function part(whole: number, count: number): number {
  return Math.ceil(whole / count);
}
