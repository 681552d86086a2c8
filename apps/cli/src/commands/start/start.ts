// `wrenmq start`: one process, or a supervisor and its workers.
import cluster from "node:cluster";
import { type WrenConfig, workerCount } from "@wrenmq/config";
import { type ConfigOptions, effectiveConfig } from "../../broker/effective-config.ts";
import { UsageError } from "../../errors.ts";
import { createLogger } from "../../logging.ts";
import { startSingle } from "./start-single.ts";

/** Resolves after a clean shutdown. @throws as `startSingle` and `supervise` */
export async function start(options: ConfigOptions): Promise<void> {
  if (cluster.isWorker) {
    const { serveWorker } = await import("./serve-worker.ts");
    await serveWorker();
    return;
  }
  const effective = await effectiveConfig(options);
  const { config } = effective;
  checkCluster(config);
  const wanted = workerCount(config.workers);
  const count = wanted === 1 ? 1 : Math.min(wanted, (await import("@wrenmq/workers")).MOST_WORKERS);
  if (config.store.path !== undefined && config.cluster === undefined) {
    const { prepareData } = await import("@wrenmq/workers/data");
    await prepareData(config.store.path, count, createLogger(config.log));
  }
  if (count === 1) {
    await startSingle(options, effective);
    return;
  }
  const { supervise } = await import("./supervise.ts");
  await supervise(options, effective, count);
}

/** What a file says is checked with the file; options say it, too. */
function checkCluster({ cluster, store, workers }: WrenConfig): void {
  if (cluster === undefined) return;
  if (workers !== 1) throw new UsageError("--workers: a member of a cluster is one process");
  if (store.path !== undefined && cluster.replicas === 0) {
    throw new UsageError("--data: without cluster.replicas members of a cluster keep sessions in memory");
  }
}
