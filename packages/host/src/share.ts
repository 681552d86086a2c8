// The part of the configuration that falls to one of several workers, or to the only one.
import type { StoreSection, WrenConfig } from "@wrenmq/config";
import { storePath } from "@wrenmq/workers/data";

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
    store: storeOf(config.store, self, count),
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

/** 0 stays what it is: no bound. */
function part(whole: number, count: number): number {
  return Math.ceil(whole / count);
}
