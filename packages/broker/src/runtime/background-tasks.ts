// Runs work that is too long for one turn of the event loop in steps, with other work in between.
import type { Clock } from "./clock.ts";

/** Steps per turn; each should take a few microseconds at most. */
const STEPS = 1024;

export class BackgroundTasks {
  readonly #clock: Clock;
  readonly #failed: (error: unknown) => void;
  readonly #waiting = new Set<Iterator<unknown>>();
  #scheduled = false;

  /** @param failed called with what a step throws: that task ends, the others go on */
  constructor(clock: Clock, failed: (error: unknown) => void) {
    this.#clock = clock;
    this.#failed = failed;
  }

  /** Begins after this turn. Values that the iterator yields are ignored. */
  add(steps: Iterator<unknown>): void {
    this.#waiting.add(steps);
    this.#wake();
  }

  /** Drops all tasks. */
  clear(): void {
    this.#waiting.clear();
  }

  #wake(): void {
    if (this.#scheduled || this.#waiting.size === 0) return;
    this.#scheduled = true;
    this.#clock.soon(() => {
      this.#scheduled = false;
      this.#turn();
      this.#wake();
    });
  }

  #turn(): void {
    let left = STEPS;
    for (const steps of this.#waiting) {
      this.#waiting.delete(steps);
      try {
        while (left > 0 && steps.next().done !== true) left--;
      } catch (error) {
        this.#failed(error);
        continue;
      }
      if (left > 0) continue;
      // To the end of the queue: short tasks do not wait for long ones.
      this.#waiting.add(steps);
      return;
    }
  }
}
