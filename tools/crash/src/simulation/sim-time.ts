// Time of a simulation: it advances when nothing else is left to do, or in small steps.
import type { Cancel } from "../surroundings.ts";

interface SimTimer {
  readonly time: number;
  readonly callback: () => void;
}

export class SimTime {
  #now = Date.UTC(2026, 0, 1);
  #timers: SimTimer[] = [];

  now(): number {
    return this.#now;
  }

  at(time: number, callback: () => void): Cancel {
    const timer = { time, callback };
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as SimTimer).time > time) index--;
    this.#timers.splice(index, 0, timer);
    return () => {
      const found = this.#timers.indexOf(timer);
      if (found >= 0) this.#timers.splice(found, 1);
    };
  }

  setTimer(callback: () => void, milliseconds: number): Cancel {
    return this.at(this.#now + milliseconds, callback);
  }

  /**
   * Advances the time.
   * @returns was a timer called?
   */
  pass(milliseconds: number): boolean {
    return this.#fire(this.#now + milliseconds);
  }

  /** Advances to the next timer. */
  skip(): boolean {
    const [next] = this.#timers;
    return next !== undefined && this.#fire(Math.max(next.time, this.#now));
  }

  #fire(until: number): boolean {
    let fired = false;
    for (let next = this.#timers[0]; next !== undefined && next.time <= until; next = this.#timers[0]) {
      this.#timers.shift();
      this.#now = Math.max(this.#now, next.time);
      next.callback();
      fired = true;
    }
    this.#now = Math.max(this.#now, until);
    return fired;
  }
}
