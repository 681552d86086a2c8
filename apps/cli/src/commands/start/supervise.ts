// `wrenmq start` with several workers: what the supervisor runs.
import { workersAsMembers } from "@wrenmq/admin/members";
import { VERSION } from "@wrenmq/broker";
import { formatDiagnostic } from "@wrenmq/config";
import { announce, type EffectiveConfig, reloading } from "@wrenmq/host";
import { startWorkers } from "@wrenmq/workers";
import { removeLeftovers } from "@wrenmq/workers/data";
import { type Administration, administer } from "../../admin/serve.ts";
import { type ConfigOptions, effectiveConfig } from "../../broker/effective-config.ts";
import { lineOf } from "../../errors.ts";
import { createLogger } from "../../logging.ts";
import { notifyService, serviceIsReady } from "../../service/systemd.ts";
import { untilSignalled } from "../../signals.ts";

/** Resolves when all workers have ended after a signal. @throws ConfigError, UsageError, WorkersError */
export async function supervise(options: ConfigOptions, effective: EffectiveConfig, count: number): Promise<void> {
  const { config, warnings, plugins } = effective;
  const logger = createLogger(config.log);
  const { source = "none" } = config;
  // The workers run this program too: see start.ts.
  const workers = startWorkers({ workers: count, config, logger });
  const reload = reloading({
    running: { config, plugins },
    logger,
    read: (running) => effectiveConfig(options, running),
    change: (changed) => workers.change(changed),
    changed({ log }) {
      logger.level = log.level;
    },
    describe: lineOf,
  });
  const signalled = untilSignalled(logger, () => void reload());
  logger.info({ version: VERSION, node: process.version, config: source, workers: count }, "WrenMQ starts");
  for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
  let administration: Administration | undefined;
  try {
    const addresses = await Promise.race([workers.ready, signalled]);
    if (addresses !== undefined) announce({ addresses, authenticators: workers.authenticators }, config, logger);
    if (workers.isReady && config.store.path !== undefined) removeLeftovers(config.store.path);
    if (addresses !== undefined) {
      administration = await administer({ members: workersAsMembers(workers) }, config, { logger, reload });
    }
    const watchdog = serviceIsReady(logger);
    await signalled;
    await notifyService("stopping");
    watchdog.stop();
  } finally {
    await administration?.close();
    await workers.stop();
  }
  logger.info({}, "stopped");
}
