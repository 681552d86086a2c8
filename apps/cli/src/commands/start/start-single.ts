// `wrenmq start` in one process: starts a broker, and stops it after a signal.
import { VERSION } from "@wrenmq/broker";
import { type EffectiveConfig, hostBroker } from "@wrenmq/host";
import { administer } from "../../admin/serve.ts";
import { type ConfigOptions, effectiveConfig } from "../../broker/effective-config.ts";
import { lineOf } from "../../errors.ts";
import { createLogger } from "../../logging.ts";
import { notifyService, serviceIsReady } from "../../service/systemd.ts";
import { untilSignalled } from "../../signals.ts";

/** Resolves after a clean shutdown. @throws ConfigError, PluginError, ListenerError, StoreError, UsageError */
export async function startSingle(options: ConfigOptions, effective: EffectiveConfig): Promise<void> {
  const { config } = effective;
  const logger = createLogger(config.log);
  let isReloadDue = false;
  let reload = (): void => {
    isReloadDue = true;
  };
  const signalled = untilSignalled(logger, () => reload());
  logger.info({ version: VERSION, node: process.version, config: config.source ?? "none" }, "WrenMQ starts");
  const host = await hostBroker((running) => (running === undefined ? effective : effectiveConfig(options, running)), {
    logger,
    dropHistory: true,
    describe: lineOf,
    reloaded({ log }) {
      logger.level = log.level;
    },
  });
  const { broker } = host;
  await broker.start();
  reload = () => void host.reload();
  const administration = await administer({ broker }, config, { logger, reload: host.reload }).catch(
    async (error: unknown) => {
      await host.close();
      throw error;
    },
  );
  if (isReloadDue) reload();
  const watchdog = serviceIsReady(logger);
  await signalled;
  await notifyService("stopping");
  await administration.close();
  await host.close();
  watchdog.stop();
  logger.info({}, "stopped");
}
