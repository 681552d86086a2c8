// `wrenmq start`: one process, or a supervisor and its workers.
import cluster from "node:cluster";
import { workerCount } from "@wrenmq/config";
import { effectiveConfig } from "../../broker/effective-config.ts";
import { createLogger } from "../../logging.ts";
import { MOST_WORKERS, type StartOptions } from "./start-command.ts";
import { start } from "./start-single.ts";

/** Resolves after a clean shutdown. @throws as `start` */
export async function startBroker(options: StartOptions): Promise<void> {
  if (cluster.isWorker) {
    const { runWorker } = await import("../../workers/worker.ts");
    await runWorker();
    return;
  }
  const { config } = effectiveConfig(options);
  const count = Math.min(workerCount(options.workers ?? config.workers), MOST_WORKERS);
  if (config.store.path !== undefined) {
    const { prepareShards } = await import("../../workers/reshard.ts");
    await prepareShards(config.store, count, createLogger(config.log));
  }
  if (count === 1) {
    await start(options);
    return;
  }
  const { supervise } = await import("../../workers/supervisor.ts");
  await supervise(options, count);
}
