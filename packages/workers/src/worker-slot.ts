// One of the workers, as the supervisor sees it, through all the processes that take its place one after the other.

import type { SendHandle } from "node:child_process";
import cluster, { type Worker } from "node:cluster";
import type { Logger } from "@wrenmq/plugin-api";
import { closeHandle } from "@wrenmq/transport";
import { type HandOver, type ToWorker, WORKER_ENV } from "./messages.ts";

/** Milliseconds before a worker that died is started again: at first, and at most. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;
/** Milliseconds after which a worker counts as healthy. */
const HEALTHY = 10_000;
/** Connections that wait for a worker that is not there. */
const MOST_WAITING = 10_000;

export interface SlotOptions<Config> {
  readonly id: number;
  readonly count: number;
  /** Where the workers find each other. */
  readonly folder: string;
  readonly logger: Logger | undefined;
  /** What the worker is to serve. */
  readonly config: Config;
}

export class WorkerSlot<Config> {
  readonly id: number;
  worker: Worker | undefined = undefined;
  isReady: boolean = false;
  /** Called instead of another start, while given. */
  whenFailed: (() => void) | undefined = undefined;
  readonly #options: SlotOptions<Config>;
  #waiting: (readonly [HandOver, unknown])[] = [];
  #pause = FIRST_PAUSE;
  #startedAt = 0;
  #restart: NodeJS.Timeout | undefined;
  #ended: (() => void) | undefined;
  #config: Config;
  #hasBegun = false;
  /** Called when the process is ready, or gone. */
  #whenReady: (() => void)[] = [];
  /** Called when the process says that it has changed its configuration, or is gone. */
  #whenChanged: ((problem: string | undefined) => void) | undefined;

  constructor(options: SlotOptions<Config>) {
    this.id = options.id;
    this.#options = options;
    this.#config = options.config;
  }

  start(): void {
    const { id, count, folder } = this.#options;
    this.#restart = undefined;
    this.#startedAt = performance.now();
    const worker = cluster.fork({
      [WORKER_ENV.self]: String(id),
      [WORKER_ENV.count]: String(count),
      [WORKER_ENV.folder]: folder,
    });
    this.worker = worker;
    worker.once("exit", (code: number | null, signal: string | null) => this.#exited(code, signal));
    // Of a worker that dies while it is written to; its exit says all there is to say.
    worker.on("error", () => {});
  }

  /** The process listens. What is sent to it sooner is lost. */
  begun(): void {
    this.#hasBegun = true;
    this.tell({ kind: "configure", config: this.#config });
  }

  /**
   * Serves another configuration: this process, and those that take its place. Not before the last change is through.
   * @returns why this process does not, and goes on as before
   */
  async change(config: Config): Promise<string | undefined> {
    const before = this.#config;
    this.#config = config;
    // A process that is starting does so with the configuration before; one that has not begun yet, with this one.
    if (this.#hasBegun && !this.isReady) {
      await new Promise<void>((resolve) => this.#whenReady.push(resolve));
    }
    if (!this.isReady) return undefined;
    const problem = await new Promise<string | undefined>((resolve) => {
      this.#whenChanged = resolve;
      this.tell({ kind: "configure", config });
    });
    if (problem !== undefined) this.#config = before;
    return problem;
  }

  changed(problem: string | undefined): void {
    this.#whenChanged?.(problem);
    this.#whenChanged = undefined;
  }

  ready(): void {
    this.isReady = true;
    this.#tellReady();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const [message, handle] of waiting) this.#send(message, handle);
  }

  tell(message: ToWorker<Config>): void {
    if (this.worker?.isConnected() === true) this.worker.send(message as object);
  }

  /** Connections for a worker that is starting wait for it. */
  handOver(message: HandOver, handle: unknown): void {
    // The other side may have gone while its socket was under way.
    if (handle === undefined || handle === null) return;
    if (this.isReady) this.#send(message, handle);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push([message, handle]);
    else closeHandle(handle);
  }

  /** Resolves when its process has ended, for good. */
  async stop(how: "ask" | "kill"): Promise<void> {
    clearTimeout(this.#restart);
    for (const [, handle] of this.#waiting) closeHandle(handle);
    this.#waiting = [];
    if (this.worker === undefined) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    // One that has not begun would not hear it.
    if (how === "kill" || !this.#hasBegun) this.kill();
    else this.tell({ kind: "stop" });
    await ended;
  }

  kill(): void {
    this.worker?.process.kill("SIGKILL");
  }

  #tellReady(): void {
    const waiting = this.#whenReady;
    this.#whenReady = [];
    for (const resolve of waiting) resolve();
  }

  #send(message: HandOver, handle: unknown): void {
    const { worker } = this;
    if (worker?.isConnected() !== true) {
      closeHandle(handle);
      return;
    }
    worker.process.send(message, handle as SendHandle, { keepOpen: false }, () => closeHandle(handle));
  }

  #exited(code: number | null, signal: string | null): void {
    this.worker = undefined;
    this.isReady = false;
    this.#hasBegun = false;
    this.#tellReady();
    // The next process starts with what this one was to change to.
    this.changed(undefined);
    if (this.#ended !== undefined) {
      this.#ended();
      return;
    }
    if (this.whenFailed !== undefined) {
      this.whenFailed();
      return;
    }
    const lived = performance.now() - this.#startedAt;
    if (lived >= HEALTHY) this.#pause = FIRST_PAUSE;
    const pause = this.#pause;
    this.#pause = Math.min(pause * 2, LAST_PAUSE);
    this.#options.logger?.error(
      { worker: this.id, code, signal, pauseMs: pause },
      "a worker ended; it is started again",
    );
    this.#restart = setTimeout(() => this.start(), pause);
  }
}
