// `wrenmq start`: from the options to a running broker, and to its end.
import { type Broker, createBroker, VERSION } from "@wrenmq/broker";
import { formatDiagnostic, type WrenConfig } from "@wrenmq/config";
import type { Logger } from "pino";
import { configToOptions } from "../broker/config-to-options.ts";
import { Reloader, reloading } from "../broker/reload.ts";
import { whoMayConnect } from "../broker/who-may-connect.ts";
import { createLogger } from "../logging.ts";
import { untilSignalled } from "../signals.ts";
import { prepareForClients } from "../warm-up.ts";
import { removeLeftovers, storeOf } from "../workers/shards.ts";
import { effectiveConfig } from "./effective-config.ts";
import type { StartOptions } from "./start-command.ts";

/** Resolves after a clean shutdown. @throws ConfigError, PluginError, ListenerError, StoreError, UsageError */
export async function start(options: StartOptions): Promise<void> {
  const { config, warnings } = effectiveConfig(options);
  const logger = createLogger(config.log);
  let isReloadDue = false;
  let reload = (): void => {
    isReloadDue = true;
  };
  const signalled = untilSignalled(logger, () => reload());
  logger.info({ version: VERSION, node: process.version, config: config.source ?? "none" }, "WrenMQ starts");
  for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
  const brokerOptions = await configToOptions({ ...config, store: storeOf(config.store, 0, 1) }, logger);
  const broker = createBroker(brokerOptions);
  await broker.start();
  removeLeftovers(config.store);
  const reloader = new Reloader(broker, { config, options: brokerOptions });
  const reloadNow = reloading({
    config,
    logger,
    read: () => effectiveConfig(options),
    change: (changed) => reloader.change(changed),
  });
  reload = () => void reloadNow();
  announce(broker, config, logger);
  if (isReloadDue) reload();
  const warm = prepareForClients(broker, config, logger);
  await signalled;
  await warm.stop();
  await broker.shutdown();
  logger.info({}, "stopped");
}

function announce(broker: Broker, config: WrenConfig, logger: Logger): void {
  const { addresses } = broker;
  for (const listener of config.listeners) {
    const address = addresses.get(listener.name) ?? listener.type;
    const who = whoMayConnect(listener, config);
    logger.info({ listener: listener.name, address, who }, "clients may connect");
  }
  const { durability, path } = config.store;
  if (path === undefined) logger.info({}, "sessions and retained messages are kept in memory only (see --data)");
  else logger.info({ path, durability }, "sessions and retained messages are kept on disk");
}
