// All deadlines of the broker behind one timer of the clock: a heap of times, the earliest on top.
import type { Millis } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";

export class Timer {
  readonly time: Millis;
  /** undefined once it has fired or was cancelled; it then holds on to nothing. */
  callback: ((now: Millis) => void) | undefined;

  constructor(time: Millis, callback: (now: Millis) => void) {
    this.time = time;
    this.callback = callback;
  }

  cancel(): void {
    this.callback = undefined;
  }
}

export class Timers {
  readonly #clock: Clock;
  readonly #heap: Timer[] = [];
  #armed: Millis = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  at(time: Millis, callback: (now: Millis) => void): Timer {
    const timer = new Timer(time, callback);
    this.#push(timer);
    this.#arm();
    return timer;
  }

  /** Cancels everything. */
  clear(): void {
    this.#heap.length = 0;
    this.#disarm?.();
    this.#disarm = undefined;
    this.#armed = Number.POSITIVE_INFINITY;
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
      const callback = first.callback;
      first.callback = undefined;
      callback?.(now);
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
