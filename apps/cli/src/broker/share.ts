// The part of the configuration that falls to one of several workers.
import type { StoreSection, WrenConfig } from "@wrenmq/config";
import { storeOf } from "../workers/shards.ts";

/** Bounds on the whole broker are divided; the store is a folder of its own. */
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
    store: roomOf(storeOf(config.store, self, count), count),
  };
}

function roomOf(store: StoreSection, count: number): StoreSection {
  return store.maxBytes === undefined ? store : { ...store, maxBytes: part(store.maxBytes, count) };
}

/** 0 stays what it is: no bound. */
function part(whole: number, count: number): number {
  return Math.ceil(whole / count);
}
