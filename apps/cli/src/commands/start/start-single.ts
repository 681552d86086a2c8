// `wrenmq start` in one process: starts a broker, and stops it after a signal.
import { createBroker, VERSION } from "@wrenmq/broker";
import { formatDiagnostic } from "@wrenmq/config";
import { removeLeftovers } from "@wrenmq/workers/data";
import { administer } from "../../admin/serve.ts";
import { announce } from "../../broker/announce.ts";
import { configToOptions } from "../../broker/config-to-options.ts";
import { type ConfigOptions, type EffectiveConfig, effectiveConfig } from "../../broker/effective-config.ts";
import { Reloader, reloading } from "../../broker/reload.ts";
import { shareOf } from "../../broker/share.ts";
import { prepareForClients } from "../../broker/warm-up.ts";
import { createLogger } from "../../logging.ts";
import { notifyService, serviceIsReady } from "../../service/systemd.ts";
import { untilSignalled } from "../../signals.ts";

/** Resolves after a clean shutdown. @throws ConfigError, PluginError, ListenerError, StoreError, UsageError */
export async function startSingle(options: ConfigOptions, effective: EffectiveConfig): Promise<void> {
  const { config, warnings, plugins } = effective;
  const logger = createLogger(config.log);
  let isReloadDue = false;
  let reload = (): void => {
    isReloadDue = true;
  };
  const signalled = untilSignalled(logger, () => reload());
  logger.info({ version: VERSION, node: process.version, config: config.source ?? "none" }, "WrenMQ starts");
  for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
  const brokerOptions = await configToOptions(shareOf(config, 0, 1), logger, plugins);
  const broker = createBroker({ ...brokerOptions, dropHistory: true });
  await broker.start();
  if (config.store.path !== undefined) removeLeftovers(config.store.path);
  const reloader = new Reloader(broker, { config, options: brokerOptions });
  const reloadNow = reloading({
    running: { config, plugins },
    logger,
    read: (running) => effectiveConfig(options, running),
    change: (changed, loaded) => reloader.change(changed, loaded),
  });
  reload = () => void reloadNow();
  const administration = await administer(broker, config, { logger, reload: reloadNow }).catch(
    async (error: unknown) => {
      await broker.shutdown();
      throw error;
    },
  );
  announce(broker.addresses, config, logger);
  if (isReloadDue) reload();
  const watchdog = serviceIsReady(logger);
  const warm = prepareForClients(broker, config, logger);
  await signalled;
  await notifyService("stopping");
  await warm.stop();
  await administration.close();
  await broker.shutdown();
  watchdog.stop();
  logger.info({}, "stopped");
}
