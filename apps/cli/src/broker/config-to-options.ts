// The configuration → the broker's options. The broker itself knows no files and no names of plugins.
import type { BrokerOptions } from "@wrenmq/broker";
import type { StoreSection, WrenConfig } from "@wrenmq/config";
import type { Logger } from "@wrenmq/plugin-api";
import type { Store } from "@wrenmq/store";
import { loadPlugins } from "../plugins/load-plugin.ts";
import { listenersToOptions } from "./listener-options.ts";

/** Loads the plugins and the store that the configuration names. @throws PluginError, StoreError */
export async function configToOptions(config: WrenConfig, logger: Logger): Promise<BrokerOptions> {
  const { session, sys, keepAlive, shared, pluginTimeoutMs } = config;
  const store = await openStore(config.store, logger);
  return {
    listeners: listenersToOptions(config),
    plugins: await loadPlugins(config),
    ...(store === undefined ? {} : { store, clearOnShutdown: config.store.clearOnShutdown === true }),
    limits: { ...config.limits, keepAliveExtra: keepAlive.extraDelaySeconds },
    session: {
      defaultExpiry: session.defaultExpirySeconds ?? Number.POSITIVE_INFINITY,
      maximumExpiry: session.maximumExpirySeconds ?? Number.POSITIVE_INFINITY,
    },
    shared,
    hookTimeout: pluginTimeoutMs,
    sys: { interval: sys.enabled ? sys.intervalSeconds : 0, names: sys.names },
    logger,
  };
}

async function openStore(
  { durability, path, maxBytes = 0, onDamage }: StoreSection,
  logger: Logger,
): Promise<Store | undefined> {
  if (durability === "memory" || path === undefined) return undefined;
  const { FileStore } = await import("@wrenmq/store-file");
  return new FileStore({
    path,
    durability,
    ...(maxBytes > 0 ? { maxBytes } : {}),
    onDamage: onDamage === "set-aside" ? "setAside" : "refuse",
    onNotice: ({ notice, ...details }) => logger.warn({ notice, ...details }, `store: ${notice}`),
  });
}
