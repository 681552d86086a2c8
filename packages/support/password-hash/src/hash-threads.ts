// Threads that compute SHA-512 crypt, which no library does outside of JavaScript: 656,000 rounds, passlib's default, are
// more than a second of work. They start when they are first needed and end when they have been idle for a while. How
// many work at once, and for whom, is the queue's business (hash-queue.ts).
import { Worker } from "node:worker_threads";
import { sha512CryptWith } from "./sha512-crypt.ts";

/** Milliseconds after which a thread without work ends. */
const IDLE = 30_000;

/** The work was given up: the signal was aborted. */
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
 * The whole program of a thread, as text: a file of its own would be lost when somebody bundles a broker. On Linux a
 * thread may have a priority of its own; a slightly lower one lets messages go first.
 */
const PROGRAM = `
const __name = (target) => target; // what some bundlers put around functions
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

  /** It has ended by itself; who asks it waits for ever. */
  isDead = false;

  constructor() {
    const died = (): void => {
      this.isDead = true;
    };
    this.#worker.on("error", died).on("exit", died).unref();
  }

  /** Resolves with undefined when it was cancelled. Rejects when the thread has failed; then it is of no more use. */
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

  /** The `$6$…` string. @throws HashAbandonedError when the signal is aborted: the thread stops then */
  async sha512Crypt(password: Uint8Array, settings: string, signal?: AbortSignal): Promise<string> {
    if (signal?.aborted === true) throw new HashAbandonedError();
    const thread = this.#take();
    const cancel = (): void => thread.cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      // a copy: the bytes of a packet may be part of a larger block
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
 * The `$6$…` string for a password. `settings` is `$6$[rounds=N$]salt` with whatever follows ignored, e.g. a whole hash.
 *
 * @throws RangeError when `settings` has not that form; HashAbandonedError when the signal is aborted
 */
export async function sha512Crypt(password: Uint8Array, settings: string, signal?: AbortSignal): Promise<string> {
  if (!settings.startsWith("$6$")) throw new RangeError("not a SHA-512 crypt hash");
  return threads.sha512Crypt(password, settings, signal);
}
