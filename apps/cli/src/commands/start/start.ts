// `wrenmq start`: one process, or a supervisor and its workers.
import cluster from "node:cluster";
import { workerCount } from "@wrenmq/config";
import { type ConfigOptions, effectiveConfig } from "../../broker/effective-config.ts";
import { UsageError } from "../../errors.ts";
import { createLogger } from "../../logging.ts";
import { startSingle } from "./start-single.ts";

export interface StartOptions extends ConfigOptions {
  readonly workers?: number | "auto";
}

/** Resolves after a clean shutdown. @throws as `startSingle` and `supervise` */
export async function start(options: StartOptions): Promise<void> {
  if (cluster.isWorker) {
    const { serveWorker } = await import("./serve-worker.ts");
    await serveWorker();
    return;
  }
  const { config } = effectiveConfig(options);
  const wanted = workerCount(options.workers ?? config.workers);
  const count = wanted === 1 ? 1 : Math.min(wanted, (await import("@wrenmq/workers")).MOST_WORKERS);
  if (config.store.path !== undefined) {
    const { prepareData } = await import("@wrenmq/workers/data");
    await prepareData(config.store.path, count, createLogger(config.log));
  }
  if (count === 1) {
    await startSingle(options);
    return;
  }
  if (config.admin.bind !== undefined) {
    throw new UsageError("admin.bind needs one process: with several workers it would answer for one of them alone");
  }
  const { supervise } = await import("./supervise.ts");
  await supervise(options, count);
}
