// Who computes when. Verifying a password is made to be slow, and strangers decide how many they send: so no more are
// computed at once than there are cores, the others wait in turn, every address gets the same share, and how many wait is
// bounded. Whoever has given up neither waits nor is computed for.
//
// One queue serves the whole process, as its cores do; nothing of one user of it is visible to another.
import { availableParallelism } from "node:os";
import { HashAbandonedError } from "./hash-threads.ts";

/** Where a work is done: on threads of ours, or on libuv's, which files and names need too. */
export type Lane = "threads" | "libuv";

/** Whoever waits for a result. The `Attempt` of an `authenticate` hook is one. */
export interface Waiting {
  readonly signal: AbortSignal;
  /** Stops the clock of whoever waits until the returned function is called. */
  wait(): () => void;
}

export interface Turn {
  /** Everybody of the same name has one share together, e.g. the network of the client. */
  readonly share: string;
  readonly attempt: Waiting;
}

/** Too many wait already. */
export class HashQueueFullError extends Error {
  override readonly name: string = "HashQueueFullError";
  constructor() {
    super("too many passwords wait to be verified");
  }
}

export interface HashQueueLimits {
  /** How many are computed at once. */
  readonly atOnce: number;
  /** How many of these on libuv's threads. */
  readonly atOnceOnLibuv: number;
  /** How many wait. */
  readonly waiting: number;
}

interface Task {
  readonly lane: Lane;
  begin(): void;
  refuse(error: Error): void;
}

export class HashQueue {
  readonly #limits: HashQueueLimits;
  /** By share, in the order of their turns; none is empty. */
  readonly #shares = new Map<string, Task[]>();
  #waiting = 0;
  #running = 0;
  #onLibuv = 0;

  constructor(limits: Partial<HashQueueLimits> = {}) {
    this.#limits = { ...defaultLimits(), ...limits };
  }

  get waiting(): number {
    return this.#waiting;
  }

  /**
   * What `work` gives, when its turn has come. The clock of the attempt stands still until then: on a machine that is busy
   * work that was given up for its time would be done again and again, for nobody. How much work it is must be bounded.
   *
   * @throws HashQueueFullError; HashAbandonedError when the signal is aborted (the work goes on, if it cannot be stopped,
   * and keeps its place among those that are computed)
   */
  run<T>(lane: Lane, turn: Turn, work: () => Promise<T>): Promise<T> {
    const { share, attempt } = turn;
    const { signal } = attempt;
    if (signal.aborted) return Promise.reject(new HashAbandonedError());
    const done = attempt.wait();
    return new Promise<T>((resolve, reject) => {
      const abandon = (): void => {
        this.#remove(share, task);
        reject(new HashAbandonedError());
      };
      const over = (): void => {
        signal.removeEventListener("abort", abandon);
      };
      const task: Task = {
        lane,
        begin: () => {
          this.#count(lane, 1);
          void work()
            .then(resolve, reject)
            .finally(() => {
              over();
              done();
              this.#count(lane, -1);
              this.#next();
            });
        },
        refuse: (error) => {
          over();
          done();
          reject(error);
        },
      };
      signal.addEventListener("abort", abandon, { once: true });
      this.#add(share, task);
      this.#next();
    });
  }

  #add(share: string, task: Task): void {
    const tasks = this.#shares.get(share);
    if (tasks === undefined) this.#shares.set(share, [task]);
    else tasks.push(task);
    this.#waiting++;
    if (this.#waiting > this.#limits.waiting + this.#free()) this.#refuseLast();
  }

  /** The share with the most that wait loses its last. */
  #refuseLast(): void {
    let largest: readonly [string, Task[]] | undefined;
    for (const one of this.#shares) if (largest === undefined || one[1].length > largest[1].length) largest = one;
    const [share, tasks] = largest as readonly [string, Task[]];
    const last = tasks.at(-1) as Task;
    this.#remove(share, last);
    last.refuse(new HashQueueFullError());
  }

  #remove(share: string, task: Task): void {
    const tasks = this.#shares.get(share);
    const at = tasks?.indexOf(task) ?? -1;
    if (tasks === undefined || at === -1) return;
    tasks.splice(at, 1);
    this.#waiting--;
    if (tasks.length === 0) this.#shares.delete(share);
  }

  /** Begins as many as may be computed; a share that had its turn goes to the end. */
  #next(): void {
    while (this.#free() > 0) {
      const found = this.#firstThatMay();
      if (found === undefined) return;
      const [share, task] = found;
      this.#remove(share, task);
      const others = this.#shares.get(share);
      if (others !== undefined) {
        this.#shares.delete(share);
        this.#shares.set(share, others);
      }
      task.begin();
    }
  }

  #firstThatMay(): readonly [string, Task] | undefined {
    for (const [share, tasks] of this.#shares) {
      const task = tasks.find(({ lane }) => lane === "threads" || this.#onLibuv < this.#limits.atOnceOnLibuv);
      if (task !== undefined) return [share, task];
    }
    return undefined;
  }

  #free(): number {
    return this.#limits.atOnce - this.#running;
  }

  #count(lane: Lane, by: 1 | -1): void {
    this.#running += by;
    if (lane === "libuv") this.#onLibuv += by;
  }
}

/** How many workers of a broker share this machine's cores: `wrenmq start --workers` tells each of them. */
const WORKERS = "WRENMQ_WORKERS";

/** libuv keeps one thread for files: what is durable must not wait for passwords. */
export function defaultLimits(
  cores: number = availableParallelism(),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HashQueueLimits {
  const atOnce = Math.max(1, Math.floor(cores / (Number(environment[WORKERS]) || 1)));
  const libuv = Number(environment["UV_THREADPOOL_SIZE"]) || 4;
  return { atOnce, atOnceOnLibuv: Math.max(1, Math.min(atOnce, libuv - 1)), waiting: 1000 };
}
