// Threads that compute SHA-512 crypt, for which there is only JavaScript: 656,000 rounds, passlib's default, take more
// than a second. Threads start when they are needed and end when they are idle. hash-queue.ts decides how many work at
// once.
import { Worker } from "node:worker_threads";
import { sha512CryptWith } from "./sha512-crypt.ts";

/** Milliseconds after which a thread without work ends. */
const IDLE = 30_000;

/** The work was abandoned: its signal was aborted. */
export class HashAbandonedError extends Error {
  override readonly name: string = "HashAbandonedError";
  constructor() {
    super("nobody waits for the hash any more");
  }
}

interface Question {
  readonly password: Uint8Array;
  readonly settings: string;
}
interface Answer {
  readonly hash: string | undefined;
}

/**
 * The program of a thread, as text: a separate file would be lost when a broker is bundled. On Linux a thread can have
 * its own priority; a slightly lower one lets messages go first.
 */
const PROGRAM = `
const __name = (target) => target; // some bundlers put this around functions
const { createHash } = require("node:crypto");
const { parentPort, workerData } = require("node:worker_threads");
if (process.platform === "linux") {
  try {
    require("node:os").setPriority(5);
  } catch {}
}
const sha512Crypt = ${sha512CryptWith.toString()};
const isCancelled = () => Atomics.load(workerData, 0) !== 0;
parentPort.on("message", ({ password, settings }) => {
  parentPort.postMessage({ hash: sha512Crypt(createHash, password, settings, isCancelled) });
});
`;

class HashThread {
  readonly #cancelled = new Int32Array(new SharedArrayBuffer(4));
  readonly #worker = new Worker(PROGRAM, { eval: true, workerData: this.#cancelled, execArgv: [] });

  /** The thread has ended by itself and will not answer. */
  isDead = false;

  constructor() {
    const died = (): void => {
      this.isDead = true;
    };
    this.#worker.on("error", died).on("exit", died).unref();
  }

  /**
   * Resolves with undefined when the work was cancelled. Rejects when the thread has failed; then it cannot be used
   * again.
   */
  ask(question: Question): Promise<string | undefined> {
    Atomics.store(this.#cancelled, 0, 0);
    return new Promise((resolve, reject) => {
      const over = (): void => {
        this.#worker.off("message", answered).off("error", failed).off("exit", ended);
        this.#worker.unref();
      };
      const answered = ({ hash }: Answer): void => {
        over();
        resolve(hash);
      };
      const failed = (error: Error): void => {
        over();
        reject(error);
      };
      const ended = (): void => failed(new Error("a thread for hashes has ended"));
      this.#worker.ref();
      this.#worker.on("message", answered).on("error", failed).on("exit", ended);
      this.#worker.postMessage(question);
    });
  }

  cancel(): void {
    Atomics.store(this.#cancelled, 0, 1);
  }

  end(): void {
    void this.#worker.terminate();
  }
}

export class HashThreads {
  readonly #idle: { readonly thread: HashThread; readonly timer: NodeJS.Timeout }[] = [];

  /**
   * @returns the `$6$…` string
   * @throws HashAbandonedError when the signal is aborted, which stops the thread
   */
  async sha512Crypt(password: Uint8Array, settings: string, signal?: AbortSignal): Promise<string> {
    if (signal?.aborted === true) throw new HashAbandonedError();
    const thread = this.#take();
    const cancel = (): void => thread.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      // a copy: the bytes may be part of a larger buffer
      const hash = await thread.ask({ password: Uint8Array.from(password), settings });
      this.#giveBack(thread);
      if (hash === undefined) throw new HashAbandonedError();
      return hash;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  #take(): HashThread {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (!idle.thread.isDead) return idle.thread;
    }
    return new HashThread();
  }

  #giveBack(thread: HashThread): void {
    const timer = setTimeout(() => {
      this.#idle.splice(
        this.#idle.findIndex((one) => one.thread === thread),
        1,
      );
      thread.end();
    }, IDLE);
    timer.unref();
    this.#idle.push({ thread, timer });
  }
}

const threads = new HashThreads();

/**
 * Computes the `$6$…` string of a password.
 * @param settings `$6$[rounds=N$]salt`; what follows is ignored, so a whole hash may be given
 * @throws RangeError when `settings` is invalid; HashAbandonedError when the signal is aborted
 */
export async function sha512Crypt(password: Uint8Array, settings: string, signal?: AbortSignal): Promise<string> {
  if (!settings.startsWith("$6$")) throw new RangeError("not a SHA-512 crypt hash");
  return threads.sha512Crypt(password, settings, signal);
}
