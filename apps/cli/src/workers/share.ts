// The part of the configuration that falls to one of several workers.
import { join } from "node:path";
import type { StoreSection, WrenConfig } from "@wrenmq/config";

/** Bounds on the whole broker are divided; the store is a folder of its own. */
export function shareOf(config: WrenConfig, self: number, count: number): WrenConfig {
  const { limits, listeners } = config;
  return {
    ...config,
    limits: { ...limits, maxConnections: part(limits.maxConnections, count) },
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
  if (path === undefined) return store;
  const room = maxBytes === undefined ? {} : { maxBytes: part(maxBytes, count) };
  return { ...store, path: join(path, `worker-${self}`), ...room };
}

/** 0 stays what it is: no bound. */
function part(whole: number, count: number): number {
  return Math.ceil(whole / count);
}
