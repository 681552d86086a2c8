// A clock that its owner advances, for tests and for replaying traces. Everything that is due happens in one order, which
// is always the same:
//
//   turn   ┬ tasks        bytes that arrive (the memory transport is given `schedule`)
//          └ callbacks    those of `soon`, after everything that has arrived was read
//   timers               in the order of their times, a whole series of turns after each
import type { Clock } from "./clock.ts";

interface SimTimer {
  readonly time: number;
  readonly callback: () => void;
}

/** Turns in a row after which a series counts as endless. */
const ENDLESS = 100_000;

/** For the option `clock` of `createBroker`, with connections of `memoryPair({ schedule: clock.schedule })`. */
export class SimulatedClock implements Clock {
  #now: number;
  #timers: SimTimer[] = [];
  #tasks: (() => void)[] = [];
  #soon: (() => void)[] = [];

  /** @param start milliseconds since the epoch */
  constructor(start: number = Date.UTC(2026, 0, 1)) {
    this.#now = start;
  }

  now(): number {
    return this.#now;
  }

  at(time: number, callback: () => void): () => void {
    const timer = { time, callback };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as SimTimer).time > time) index--;
    this.#timers.splice(index, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  soon(callback: () => void): void {
    this.#soon.push(callback);
  }

  /** For `memoryPair({ schedule })`: bytes arrive when the clock runs. */
  readonly schedule = (task: () => void): void => {
    this.#tasks.push(task);
  };

  get idle(): boolean {
    return this.#tasks.length === 0 && this.#soon.length === 0;
  }

  /** Epoch milliseconds at which the next timer fires. */
  get nextTimer(): number | undefined {
    return this.#timers[0]?.time;
  }

  /** Number of timers that have not fired. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Runs turns until nothing is left to do. Promises are not awaited: see `settle`. */
  run(): void {
    for (let turns = 0; !this.idle; turns++) {
      if (turns > ENDLESS) throw new Error("the simulation does not come to rest");
      while (this.#tasks.length > 0) {
        const tasks = this.#tasks;
        this.#tasks = [];
        for (const task of tasks) task();
      }
      const soon = this.#soon;
      this.#soon = [];
      for (const callback of soon) callback();
    }
  }

  /** `run`, with the reactions to promises that are settled already. */
  async settle(): Promise<void> {
    do {
      this.run();
      await new Promise<void>((resolve) => setImmediate(resolve));
    } while (!this.idle);
  }

  /** Advances the time, stopping at each timer on the way. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    await this.settle();
    while (this.#fireNext(end)) await this.settle();
    this.#now = end;
  }

  /**
   * `advance` without promises: for simulations where no hook and no store is asynchronous.
   * @returns has a timer fired?
   */
  advanceNow(milliseconds: number): boolean {
    const end = this.#now + milliseconds;
    let fired = false;
    this.run();
    while (this.#fireNext(end)) {
      fired = true;
      this.run();
    }
    this.#now = Math.max(this.#now, end);
    return fired;
  }

  #fireNext(end: number): boolean {
    const next = this.#timers[0];
    if (next === undefined || next.time > end) return false;
    this.#timers.shift();
    this.#now = Math.max(this.#now, next.time);
    next.callback();
    return true;
  }
}
