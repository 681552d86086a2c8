// One worker as the supervisor sees it, through all processes that replace each other.

import type { SendHandle } from "node:child_process";
import cluster, { type Worker } from "node:cluster";
import type { Logger } from "@wrenmq/plugin-api";
import { closeHandle } from "@wrenmq/transport";
import { type HandOver, type ToWorker, WORKER_ENV } from "./messages.ts";
import { Questions } from "./questions.ts";

/** Milliseconds before a worker that has ended is restarted: at first, and at most. */
const FIRST_PAUSE = 50;
const LAST_PAUSE = 5_000;
/** Milliseconds after which a worker counts as healthy. */
const HEALTHY = 10_000;
/** The most connections that wait for a worker that is starting. */
const MOST_WAITING = 10_000;

export interface SlotOptions<Config> {
  readonly id: number;
  readonly count: number;
  /** Folder of the sockets between the workers. */
  readonly folder: string;
  readonly logger: Logger | undefined;
  /** The worker's configuration. */
  readonly config: Config;
  readonly ticketSecret: Uint8Array;
}

export class WorkerSlot<Config> {
  readonly id: number;
  worker: Worker | undefined = undefined;
  isReady: boolean = false;
  readonly questions: Questions;
  /** If set, called when the process ends, instead of a restart. */
  whenFailed: (() => void) | undefined = undefined;
  readonly #options: SlotOptions<Config>;
  #waiting: (readonly [HandOver, unknown])[] = [];
  #pause = FIRST_PAUSE;
  #startedAt = 0;
  #restart: NodeJS.Timeout | undefined;
  #ended: (() => void) | undefined;
  #config: Config;
  #hasBegun = false;
  /** A configuration was prepared in this process and is not decided. */
  #isPrepared = false;
  /** Called when the process is ready, or has ended. */
  #whenReady: (() => void)[] = [];
  /** Called when the process has answered, or has ended. */
  #whenChanged: ((problem: string | undefined) => void) | undefined;

  constructor(options: SlotOptions<Config>) {
    this.id = options.id;
    this.#options = options;
    this.#config = options.config;
    this.questions = new Questions(this.id, (message) => {
      const canHear = this.isReady && this.worker?.isConnected() === true;
      if (canHear) this.tell(message);
      return canHear;
    });
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
    // Errors of writing to a worker that ends; its exit is handled.
    worker.on("error", () => {});
  }

  /** The process listens to messages. Earlier messages would be lost. */
  begun(): void {
    this.#hasBegun = true;
    this.tell(this.#configure(this.#config));
  }

  /**
   * Prepares another configuration in this process. A process that is ending or starting has nothing to prepare: it
   * will start with the configuration that is decided.
   * @returns why it cannot be used; undefined: it can
   */
  async prepare(config: Config): Promise<string | undefined> {
    await this.#begunOrGone();
    if (!this.isReady) return undefined;
    const problem = await this.#ask(this.#configure(config));
    this.#isPrepared = problem === undefined && this.isReady;
    return problem;
  }

  /** Commits or drops the prepared configuration, for this process and those that replace it. */
  async decide(config: Config, isCommit: boolean): Promise<void> {
    if (isCommit) this.#config = config;
    if (this.#isPrepared) {
      this.#isPrepared = false;
      await this.#ask({ kind: "decide", isCommit });
    } else if (isCommit && this.#hasBegun) {
      // It has started in between, with the old configuration.
      const problem = await this.prepare(config);
      if (this.#isPrepared) await this.decide(config, true);
      if (problem !== undefined) {
        this.#options.logger?.error({ worker: this.id, reason: problem }, "a worker serves the configuration before");
      }
    }
  }

  #configure(config: Config): ToWorker<Config> {
    return { kind: "configure", config, ticketSecret: this.#options.ticketSecret };
  }

  /** Sends a message that is answered by `changed`; the end of the process counts as an answer. */
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

  /** Sends a connection to the worker; while it is starting the connection waits. */
  handOver(message: HandOver, handle: unknown): void {
    // The client may have disconnected while the handle was being sent.
    if (handle === undefined || handle === null) return;
    if (this.isReady) this.#send(message, handle);
    else if (this.#waiting.length < MOST_WAITING) this.#waiting.push([message, handle]);
    else closeHandle(handle);
  }

  /** Resolves when the process has ended. It is not restarted. */
  async stop(how: "ask" | "kill"): Promise<void> {
    clearTimeout(this.#restart);
    for (const [, handle] of this.#waiting) closeHandle(handle);
    this.#waiting = [];
    if (this.worker === undefined) return;
    const ended = new Promise<void>((resolve) => {
      this.#ended = resolve;
    });
    // A process that has not begun does not listen to messages.
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
    this.questions.gone();
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
