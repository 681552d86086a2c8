// The process that serves nobody: it starts the workers, starts those again that die, passes on signals and connections.
import cluster, { type Worker } from "node:cluster";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { VERSION } from "@wrenmq/broker";
import { formatDiagnostic, type WrenConfig } from "@wrenmq/config";
import type { Logger } from "pino";
import { reloading } from "../broker/reload.ts";
import { whoMayConnect } from "../broker/who-may-connect.ts";
import { type EffectiveConfig, effectiveConfig } from "../commands/effective-config.ts";
import type { StartOptions } from "../commands/start-command.ts";
import { CommandError } from "../errors.ts";
import { createLogger } from "../logging.ts";
import { untilSignalled } from "../signals.ts";
import type { FromWorker } from "./messages.ts";
import { removeLeftovers } from "./shards.ts";
import { WorkerSlot } from "./worker-slot.ts";

/** Milliseconds until workers that do not stop are killed. */
const STOP_PATIENCE = 15_000;

/** Resolves when all workers have ended after a signal. @throws ConfigError, UsageError; CommandError when a worker cannot start */
export async function supervise(options: StartOptions, count: number): Promise<void> {
  const { config, warnings } = effectiveConfig(options);
  const logger = createLogger(config.log);
  const { source = "none" } = config;
  const supervisor = new Supervisor(logger, count, config);
  const read = (): EffectiveConfig => effectiveConfig(options);
  const reload = reloading({ config, logger, read, change: (changed) => supervisor.change(changed) });
  const signalled = untilSignalled(logger, () => void reload());
  logger.info({ version: VERSION, node: process.version, config: source, workers: count }, "WrenMQ starts");
  for (const warning of warnings) logger.warn({}, formatDiagnostic(warning));
  try {
    announce(await supervisor.start(signalled), config, logger);
    if (supervisor.isReady) removeLeftovers(config.store);
    await signalled;
  } finally {
    await supervisor.stop();
  }
  logger.info({}, "stopped");
}

class Supervisor {
  readonly #logger: Logger;
  readonly #folder = mkdtempSync(join(tmpdir(), "wrenmq-"));
  readonly #slots: WorkerSlot[];
  #addresses: readonly (readonly [string, string])[] = [];
  #started: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(logger: Logger, count: number, config: WrenConfig) {
    this.#logger = logger;
    const folder = this.#folder;
    // The system hands out connections: another process in between would cost each of them a message.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ serialization: "advanced" });
    this.#slots = Array.from({ length: count }, (_, id) => new WorkerSlot({ id, count, folder, logger, config }));
    cluster.on("message", (worker, message: FromWorker, handle: unknown) => this.#heard(worker, message, handle));
  }

  /** Do all workers serve clients? */
  get isReady(): boolean {
    return this.#slots.every(({ isReady }) => isReady);
  }

  /** Resolves when all workers serve clients (or `unless` does first): the addresses of the listeners. @throws CommandError */
  async start(unless: Promise<void>): Promise<ReadonlyMap<string, string>> {
    const started = new Promise<void>((resolve, reject) => {
      this.#started = { resolve, reject };
    });
    for (const slot of this.#slots) {
      slot.whenFailed = () => this.#started?.reject(new CommandError(`worker ${slot.id} ended before it was ready`));
      slot.start();
    }
    await Promise.race([started, unless]);
    this.#started = undefined;
    for (const slot of this.#slots) slot.whenFailed = undefined;
    return new Map(this.#addresses);
  }

  /** Ends all workers. */
  async stop(): Promise<void> {
    const isStarting = this.#started !== undefined;
    this.#started = undefined;
    const ended = Promise.all(this.#slots.map((slot) => slot.stop(isStarting ? "kill" : "ask")));
    const patience = setTimeout(() => {
      for (const slot of this.#slots) slot.kill();
    }, STOP_PATIENCE);
    await ended;
    clearTimeout(patience);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** All workers serve another configuration, or none does. @throws CommandError */
  async change(config: WrenConfig): Promise<void> {
    const problems = await Promise.all(this.#slots.map((slot) => slot.prepare(config)));
    const problem = problems.find((line) => line !== undefined);
    await Promise.all(this.#slots.map((slot) => slot.decide(config, problem === undefined)));
    if (problem !== undefined) throw new CommandError(problem);
  }

  #heard(worker: Worker, message: FromWorker, handle: unknown): void {
    if (message.kind === "handOver") {
      this.#slots[message.to]?.handOver(message, handle);
      return;
    }
    const slot = this.#slots.find((one) => one.worker === worker);
    if (slot === undefined) return;
    if (message.kind === "begun") slot.begun();
    else if (message.kind === "changed") slot.changed(message.problem);
    else if (message.kind === "ready") {
      slot.ready();
      if (slot.id === 0) this.#addresses = message.addresses;
      if (this.isReady) this.#started?.resolve();
    } else if (this.#started === undefined) {
      this.#logger.error({ worker: slot.id, reason: message.line }, "a worker could not start");
    } else this.#started.reject(new CommandError(message.line));
  }
}

function announce(addresses: ReadonlyMap<string, string>, config: WrenConfig, logger: Logger): void {
  for (const listener of config.listeners) {
    const address = addresses.get(listener.name) ?? listener.type;
    logger.info({ listener: listener.name, address, who: whoMayConnect(listener, config) }, "clients may connect");
  }
  const { durability, path } = config.store;
  if (path === undefined) logger.info({}, "sessions and retained messages are kept in memory only (see --data)");
  else logger.info({ path, durability }, "sessions and retained messages are kept on disk");
}
