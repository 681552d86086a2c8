export type { Answering } from "./answers.ts";
export { WorkersError, type WorkersErrorCode } from "./errors.ts";
export { runWorker, type WorkerBroker, type WorkerOptions, type WorkerPlace } from "./run-worker.ts";
export { MOST_WORKERS, startWorkers, type Workers, type WorkersOptions } from "./start-workers.ts";
