// `wrenmq start`: one process, or a supervisor and its workers.
import cluster from "node:cluster";
import { workerCount } from "@wrenmq/config";
import { effectiveConfig } from "../commands/effective-config.ts";
import { start } from "../commands/start.ts";
import { MOST_WORKERS, type StartOptions } from "../commands/start-command.ts";
import { UsageError } from "../errors.ts";
import { createLogger } from "../logging.ts";

/** Resolves after a clean shutdown. @throws as `start` */
export async function startBroker(options: StartOptions): Promise<void> {
  if (cluster.isWorker) {
    const { runWorker } = await import("./worker.ts");
    await runWorker();
    return;
  }
  const { config } = effectiveConfig(options);
  const count = Math.min(workerCount(options.workers ?? config.workers), MOST_WORKERS);
  if (config.store.path !== undefined) {
    const { prepareShards } = await import("./reshard.ts");
    await prepareShards(config.store, count, createLogger(config.log));
  }
  if (count === 1) {
    await start(options);
    return;
  }
  if (config.admin.bind !== undefined) {
    throw new UsageError("admin.bind needs one process: with several workers it would answer for one of them alone");
  }
  const { supervise } = await import("./supervisor.ts");
  await supervise(options, count);
}
