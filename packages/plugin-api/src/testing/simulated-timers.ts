// Timers of a simulated clock.
import type { HookTimers } from "../chain/hook-guard.ts";

interface Timer {
  at: number;
  readonly callback: () => void;
  /** Milliseconds; undefined: it fires once. */
  readonly every: number | undefined;
}

export class SimulatedTimers implements HookTimers {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<unknown, Timer>();

  /** Milliseconds since the start. */
  get now(): number {
    return this.#now;
  }

  get pending(): number {
    return this.#timers.size;
  }

  setTimeout(callback: () => void, delay: number): unknown {
    return this.#add({ at: this.#now + delay, callback, every: undefined });
  }

  setInterval(callback: () => void, interval: number): unknown {
    return this.#add({ at: this.#now + interval, callback, every: Math.max(1, interval) });
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle);
  }

  /** Advances the clock, and fires what is due in order. */
  advance(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      let due: [unknown, Timer] | undefined;
      for (const entry of this.#timers) {
        if (entry[1].at <= end && (due === undefined || entry[1].at < due[1].at)) due = entry;
      }
      if (due === undefined) break;
      const [handle, timer] = due;
      this.#now = timer.at;
      if (timer.every === undefined) this.#timers.delete(handle);
      else timer.at += timer.every;
      timer.callback();
    }
    this.#now = end;
  }

  #add(timer: Timer): number {
    const handle = this.#next++;
    this.#timers.set(handle, timer);
    return handle;
  }
}
