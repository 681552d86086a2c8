// Time of a simulation: it advances when nothing else is left to do, or in small steps.
import { SimulatedClock } from "@wrenmq/broker";
import type { Cancel } from "../surroundings.ts";

export class SimTime {
  readonly #clock = new SimulatedClock();

  now(): number {
    return this.#clock.now();
  }

  at(time: number, callback: () => void): Cancel {
    return this.#clock.at(time, callback);
  }

  setTimer(callback: () => void, milliseconds: number): Cancel {
    return this.at(this.now() + milliseconds, callback);
  }

  /**
   * Advances the time.
   * @returns was a timer called?
   */
  pass(milliseconds: number): boolean {
    return this.#clock.advanceNow(milliseconds);
  }

  /** Advances to the next timer. */
  skip(): boolean {
    const next = this.#clock.nextTimer;
    return next !== undefined && this.pass(Math.max(0, next - this.now()));
  }
}
