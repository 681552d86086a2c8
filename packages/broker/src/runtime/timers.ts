// All timers of the broker behind one timer of the clock: a heap of times, the earliest first.
import type { Millis } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";

export class Timer {
  readonly time: Millis;
  /** undefined when it has fired or was cancelled, so that it keeps nothing alive. */
  callback: ((now: Millis) => void) | undefined;
  readonly #timers: Timers;

  constructor(timers: Timers, time: Millis, callback: (now: Millis) => void) {
    this.#timers = timers;
    this.time = time;
    this.callback = callback;
  }

  cancel(): void {
    if (this.callback === undefined) return;
    this.callback = undefined;
    this.#timers.cancelled();
  }
}

/** Below this number cancelled timers are not searched for. */
const FEW = 64;

export class Timers {
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  #heap: Timer[] = [];
  /** Number of cancelled timers in the heap. */
  #dead = 0;
  #armed: Millis = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;

  /** @param failed called with what a callback throws: other timers are not affected */
  constructor(clock: Clock, failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Number of timers that are to fire. */
  get size(): number {
    return this.#heap.length - this.#dead;
  }

  at(time: Millis, callback: (now: Millis) => void): Timer {
    const timer = new Timer(this, time, callback);
    this.#push(timer);
    this.#arm();
    return timer;
  }

  /** Cancels everything. */
  clear(): void {
    this.#heap = [];
    this.#dead = 0;
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
  }

  /**
   * Called by a timer. Clients that come and go leave cancelled timers that are due in days: when they are the
   * majority, the heap is built again without them.
   */
  cancelled(): void {
    this.#dead++;
    if (this.#heap.length < FEW || this.#dead * 2 < this.#heap.length) return;
    const live = this.#heap.filter((timer) => timer.callback !== undefined);
    // An array in the order of time is a heap.
    this.#heap = live.sort((one, other) => one.time - other.time);
    this.#dead = 0;
  }

  #arm(): void {
    const first = this.#heap[0];
    if (first === undefined || first.time >= this.#armed) return;
    this.#disarm?.();
    this.#armed = first.time;
    this.#disarm = this.#clock.at(first.time, () => this.#fire());
  }

  #fire(): void {
    this.#armed = Number.POSITIVE_INFINITY;
    this.#disarm = undefined;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.time <= now; first = this.#heap[0]) {
      this.#pop();
      const { callback } = first;
      if (callback === undefined) {
        this.#dead--;
        continue;
      }
      first.callback = undefined;
      try {
        callback(now);
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#arm();
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(timer);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as Timer;
      if (above.time <= timer.time) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.time < (heap[child] as Timer).time) child++;
      const below = heap[child] as Timer;
      if (below.time >= last.time) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
  }
}
