// Schedules the computing of password hashes. Verifying a password is slow on purpose, and strangers decide how many
// they send: no more are computed at once than there are cores, the others wait in turn, every share (such as a
// network) gets the same part of the time, and the number that waits is bounded. Abandoned work is dropped.
//
// One queue serves the whole process, as its cores do; its users do not affect each other otherwise.
import { availableParallelism } from "node:os";
import { HashAbandonedError } from "./hash-threads.ts";

/** Where the work is done: on our own threads, or on libuv's, which files and name look-ups need too. */
export type Lane = "threads" | "libuv";

/** Who waits for a result, such as the `Attempt` of an `authenticate` hook. */
export interface Waiting {
  readonly signal: AbortSignal;
  /** Stops the time limit until the returned function is called. */
  wait(): () => void;
}

export interface Turn {
  /** Work with the same name has one share together, such as the network of the client. */
  readonly share: string;
  readonly attempt: Waiting;
}

/** Too much work waits already. */
export class HashQueueFullError extends Error {
  override readonly name: string = "HashQueueFullError";
  constructor() {
    super("too many passwords wait to be verified");
  }
}

export interface HashQueueLimits {
  /** How many hashes are computed at once. */
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
  /** By share, in the order of their turns; no list is empty. */
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
   * Runs `work` when its turn has come, and returns its result. The time limit of the attempt stops until then: on a
   * busy machine work would otherwise time out and be repeated without end. `work` must be bounded.
   *
   * @throws HashQueueFullError; HashAbandonedError when the signal is aborted (work that cannot be stopped goes on, and
   * counts as computed until it ends)
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

  /** Refuses the last of the share with the most waiting work. */
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

  /** Starts as many as may be computed; a share that has had its turn goes to the end. */
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

/** The number of workers that share this machine's cores; `wrenmq start --workers` sets it. */
const WORKERS = "WRENMQ_WORKERS";

/** Leaves libuv a thread for files: writes of the store must not wait for passwords. */
export function defaultLimits(
  cores: number = availableParallelism(),
  environment: Readonly<Record<string, string | undefined>> = process.env,
): HashQueueLimits {
  const atOnce = Math.max(1, Math.floor(cores / (Number(environment[WORKERS]) || 1)));
  const libuv = Number(environment["UV_THREADPOOL_SIZE"]) || 4;
  return { atOnce, atOnceOnLibuv: Math.max(1, Math.min(atOnce, libuv - 1)), waiting: 1000 };
}
