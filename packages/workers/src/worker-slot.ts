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
  /** Another configuration is ready in this process, and nothing has been decided. */
  #isPrepared = false;
  /** Called when the process is ready, or gone. */
  #whenReady: (() => void)[] = [];
  /** Called when the process has done what it was asked for, or is gone. */
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
   * Gets another configuration ready in this process. A process that is not there, or begins, has nothing to get ready:
   * it starts with what is decided.
   * @returns why this process cannot serve it
   */
  async prepare(config: Config): Promise<string | undefined> {
    await this.#begunOrGone();
    if (!this.isReady) return undefined;
    const problem = await this.#ask({ kind: "configure", config });
    this.#isPrepared = problem === undefined && this.isReady;
    return problem;
  }

  /** The configuration that was got ready is served from now on, by this process and those that take its place; or it is not. */
  async decide(config: Config, isCommit: boolean): Promise<void> {
    if (isCommit) this.#config = config;
    if (this.#isPrepared) {
      this.#isPrepared = false;
      await this.#ask({ kind: "decide", isCommit });
    } else if (isCommit && this.#hasBegun) {
      // It began in between, with the configuration before.
      const problem = await this.prepare(config);
      if (this.#isPrepared) await this.decide(config, true);
      if (problem !== undefined) {
        this.#options.logger?.error({ worker: this.id, reason: problem }, "a worker serves the configuration before");
      }
    }
  }

  /** Sends what is answered by `changed`; a process that ends has answered. */
  #ask(message: ToWorker<Config>): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#whenChanged = resolve;
      this.tell(message);
    });
  }

  async #begunOrGone(): Promise<void> {
    if (this.#hasBegun && !this.isReady) await new Promise<void>((resolve) => this.#whenReady.push(resolve));
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
    this.#isPrepared = false;
    this.#tellReady();
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
