// Time that passes as fast as it can, and chance that one seed decides.
import type { Clock } from "@wrenmq/store-nats";

/** mulberry32: numbers from 0 to 1. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

interface Task {
  readonly time: number;
  readonly run: () => void;
}

export class SimTime implements Clock {
  #now = 0;
  #tasks: Task[] = [];

  now(): number {
    return this.#now;
  }

  at(time: number, run: () => void): () => void {
    const task = { time: Math.max(time, this.#now), run };
    let index = this.#tasks.length;
    while (index > 0 && (this.#tasks[index - 1] as Task).time > task.time) index--;
    this.#tasks.splice(index, 0, task);
    return () => {
      const found = this.#tasks.indexOf(task);
      if (found >= 0) this.#tasks.splice(found, 1);
    };
  }

  /** Runs what is due, with a turn of the event loop after each task. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await turn();
      const task = this.#tasks[0];
      if (task === undefined || task.time > end) break;
      this.#tasks.shift();
      this.#now = task.time;
      task.run();
    }
    this.#now = end;
  }

  /** Advances until the promise is settled. */
  async until<T>(promise: Promise<T>, patience = 600_000): Promise<T> {
    const end = this.#now + patience;
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (await turn(); !isSettled; ) {
      const task = this.#tasks[0];
      if (task === undefined) await turn();
      else if (task.time > end) throw new Error("it is never settled");
      else await this.advance(task.time - this.#now);
    }
    return promise;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
