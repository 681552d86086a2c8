// How a test waits: in a simulation until all is at rest, against a real broker until it has come or has not for long.
import type { SimClock } from "./sim-clock.ts";

export interface Pace {
  /** Resolves when the condition holds, or when waiting any longer is of no use. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when whatever is under way must have arrived. */
  quiet(): Promise<void>;
  /** Lets time pass. */
  advance(milliseconds: number): Promise<void>;
}

export class SimPace implements Pace {
  readonly clock: SimClock;

  constructor(clock: SimClock) {
    this.clock = clock;
  }

  until(): Promise<void> {
    return this.clock.settle();
  }

  quiet(): Promise<void> {
    return this.clock.settle();
  }

  advance(milliseconds: number): Promise<void> {
    return this.clock.advance(milliseconds);
  }
}

/** Milliseconds. Only tests that fail wait that long. */
const PATIENCE = 5_000;
/** Milliseconds in which a packet that is not to come had its chance. */
const QUIET = 150;

export class RealPace implements Pace {
  async until(condition: () => boolean): Promise<void> {
    const end = performance.now() + PATIENCE;
    while (!condition() && performance.now() < end) await this.advance(2);
  }

  quiet(): Promise<void> {
    return this.advance(QUIET);
  }

  advance(milliseconds: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, milliseconds));
  }
}
