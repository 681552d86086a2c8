// The supervisor: starts the workers, restarts those that end, and passes connections and configurations to them. It
// serves no clients.
import cluster, { type Worker } from "node:cluster";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { homeOf } from "@wrenmq/cluster";
import type { Logger } from "@wrenmq/plugin-api";
import { WorkersError } from "./errors.ts";
import type { FromWorker } from "./messages.ts";
import { WorkerSlot } from "./worker-slot.ts";

/** `Stamps` of @wrenmq/cluster have six bits for the number of a worker. */
export const MOST_WORKERS = 64;

/** Milliseconds until workers that do not stop are killed. */
const STOP_PATIENCE = 15_000;

export interface WorkersOptions<Config> {
  /** Number of processes: 1 to 64. */
  readonly workers: number;
  /**
   * The module of the workers, which calls `runWorker`. Default: this program with the same arguments, which checks
   * `cluster.isWorker` of `node:cluster`.
   */
  readonly module?: string | URL;
  /** Passed to `createBroker` of each worker: anything that can be cloned. */
  readonly config: Config;
  readonly logger?: Logger;
}

/** The workers of this process, of which there can be one group at a time. */
export interface Workers<Config> extends AsyncDisposable {
  /**
   * Resolves when all workers serve clients for the first time, with the addresses of the listeners by name. Rejects
   * with a WorkersError ERR_WORKERS_START as soon as one of them cannot start, or after `stop()`; the others go on
   * until `stop()`.
   */
  readonly ready: Promise<ReadonlyMap<string, string>>;
  /** For each listener the names of the plugins that authenticate; empty until `ready`. */
  readonly authenticators: ReadonlyMap<string, readonly string[]>;
  /** Do all workers serve clients at present? */
  readonly isReady: boolean;
  /**
   * Changes the configuration of all workers, or of none.
   * @throws WorkersError ERR_WORKERS_CHANGE with the reason
   */
  change(config: Config): Promise<void>;
  readonly count: number;
  /** The worker that serves a client identifier. */
  homeOf(clientId: string): number;
  /** Does this worker serve clients at present? */
  isUp(worker: number): boolean;
  /** Called each time that a worker begins to serve clients, also after it was started again. */
  onUp(callback: (worker: number) => void): void;
  /**
   * Asks one worker what its `answer` says.
   * @throws WorkersError ERR_WORKERS_ANSWER: it is not ready, has ended, or has rejected; the signal's reason
   */
  ask(worker: number, question: unknown, signal?: AbortSignal): Promise<unknown>;
  /**
   * The values of its `stream`, as fast as they are read.
   * @throws as `ask`
   */
  stream(worker: number, question: unknown, signal?: AbortSignal): AsyncIterable<unknown>;
  /** Stops all workers; after 15 seconds they are killed. */
  stop(): Promise<void>;
}

/** @throws WorkersError ERR_WORKERS_OPTIONS */
export function startWorkers<Config>(options: WorkersOptions<Config>): Workers<Config> {
  const { workers, module } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw new WorkersError("ERR_WORKERS_OPTIONS", `workers: expected a whole number from 1 to ${MOST_WORKERS}`);
  }
  if (cluster.isWorker) {
    throw new WorkersError("ERR_WORKERS_OPTIONS", "this process is a worker: it calls runWorker()");
  }
  // The system distributes connections: passing each through the supervisor would cost a message.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  const exec = module instanceof URL ? fileURLToPath(module) : module;
  cluster.setupPrimary({ serialization: "advanced", ...(exec === undefined ? {} : { exec }) });
  return new Supervisor(options);
}

class Supervisor<Config> implements Workers<Config> {
  readonly ready: Promise<ReadonlyMap<string, string>>;
  readonly #logger: Logger | undefined;
  /** Folder of the sockets between the workers. */
  readonly #folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  readonly #slots: WorkerSlot<Config>[];
  #addresses: readonly (readonly [string, string])[] = [];
  authenticators: ReadonlyMap<string, readonly string[]> = new Map();
  /** Set until all workers have started for the first time. */
  #started: { resolve(): void; reject(error: Error): void } | undefined;

  readonly #whenUp: ((worker: number) => void)[] = [];

  constructor({ workers: count, config, logger }: WorkersOptions<Config>) {
    this.#logger = logger;
    const folder = this.#folder;
    const ticketSecret = randomBytes(32);
    this.#slots = Array.from(
      { length: count },
      (_, id) => new WorkerSlot({ id, count, folder, logger, config, ticketSecret }),
    );
    cluster.on("message", this.#heard);
    this.ready = this.#start();
  }

  get isReady(): boolean {
    return this.#slots.every(({ isReady }) => isReady);
  }

  get count(): number {
    return this.#slots.length;
  }

  homeOf(clientId: string): number {
    return homeOf(clientId, this.count);
  }

  isUp(worker: number): boolean {
    return this.#slots[worker]?.isReady === true;
  }

  onUp(callback: (worker: number) => void): void {
    this.#whenUp.push(callback);
  }

  ask(worker: number, question: unknown, signal?: AbortSignal): Promise<unknown> {
    return this.#slot(worker).questions.ask(question, signal);
  }

  stream(worker: number, question: unknown, signal?: AbortSignal): AsyncIterable<unknown> {
    return this.#slot(worker).questions.stream(question, signal);
  }

  #slot(worker: number): WorkerSlot<Config> {
    const slot = this.#slots[worker];
    if (slot === undefined) throw new WorkersError("ERR_WORKERS_OPTIONS", `there is no worker ${worker}`);
    return slot;
  }

  async #start(): Promise<ReadonlyMap<string, string>> {
    const started = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    for (const slot of this.#slots) {
      slot.whenFailed = () => this.#failed(`worker ${slot.id} ended before it was ready`);
      slot.start();
    }
    await started;
    this.#started = undefined;
    for (const slot of this.#slots) slot.whenFailed = undefined;
    return new Map(this.#addresses);
  }

  #failed(line: string): void {
    this.#started?.reject(new WorkersError("ERR_WORKERS_START", line));
  }

  async stop(): Promise<void> {
    const isStarting = this.#started !== undefined;
    this.#failed("the workers were stopped before they were ready");
    this.#started = undefined;
    const ended = Promise.all(this.#slots.map((slot) => slot.stop(isStarting ? "kill" : "ask")));
    const patience = setTimeout(() => {
      for (const slot of this.#slots) slot.kill();
    }, STOP_PATIENCE);
    await ended;
    clearTimeout(patience);
    cluster.off("message", this.#heard);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async change(config: Config): Promise<void> {
    const problems = await Promise.all(this.#slots.map((slot) => slot.prepare(config)));
    const problem = problems.find((line) => line !== undefined);
    await Promise.all(this.#slots.map((slot) => slot.decide(config, problem === undefined)));
    if (problem !== undefined) throw new WorkersError("ERR_WORKERS_CHANGE", problem);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #heard = (worker: Worker, message: FromWorker, handle: unknown): void => {
    if (message.kind === "handOver") {
      this.#slots[message.to]?.handOver(message, handle);
      return;
    }
    const slot = this.#slots.find((one) => one.worker === worker);
    if (slot === undefined) return;
    if (message.kind === "begun") slot.begun();
    else if (message.kind === "changed") slot.changed(message.problem);
    else if (message.kind === "answer" || message.kind === "piece" || message.kind === "unanswered") {
      slot.questions.heard(message);
    } else if (message.kind === "ready") {
      slot.ready();
      for (const callback of this.#whenUp) callback(slot.id);
      if (slot.id === 0) {
        this.#addresses = message.addresses;
        this.authenticators = new Map(message.authenticators);
      }
      if (this.isReady) this.#started?.resolve();
    } else if (this.#started === undefined) {
      this.#logger?.error({ worker: slot.id, reason: message.line }, "a worker could not start");
    } else this.#failed(message.line);
  };
}
