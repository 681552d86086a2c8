// Converts a configuration to options of the broker, which itself has no files and no names of plugins.
import type { BrokerOptions } from "@wrenmq/broker";
import type { StoreSection, WrenConfig } from "@wrenmq/config";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import type { Store } from "@wrenmq/store";
import { listenersToOptions } from "./listener-options.ts";
import { loadPlugins } from "./plugins/load-plugin.ts";

/**
 * Opens the store that the configuration names, and loads its plugins unless they are given.
 *
 * @throws PluginError, StoreError
 */
export async function configToOptions(
  config: WrenConfig,
  logger: Logger,
  plugins?: readonly Plugin[],
): Promise<BrokerOptions> {
  const { session, sys, keepAlive, shared, pluginTimeout, dollarTopics } = config;
  const store = await openStore(config.store, logger);
  return {
    listeners: listenersToOptions(config),
    plugins: [...(plugins ?? (await loadPlugins(config)))],
    ...(store === undefined ? {} : { store, clearOnShutdown: config.store.clearOnShutdown === true }),
    limits: { ...config.limits, keepAliveExtra: keepAlive.extraDelaySeconds },
    session: {
      defaultExpiry: session.defaultExpiry ?? Number.POSITIVE_INFINITY,
      maximumExpiry: session.maximumExpiry ?? Number.POSITIVE_INFINITY,
    },
    shared,
    dollarTopics,
    hookTimeout: pluginTimeout,
    sys: { intervalSeconds: sys.enabled ? sys.intervalSeconds : 0, names: sys.names },
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
    onNotice: (given) => {
      const { error, ...details } = { error: undefined, ...given };
      logger.warn({ ...details, ...(error === undefined ? {} : { err: error }) }, `store: ${given.notice}`);
    },
  });
}
