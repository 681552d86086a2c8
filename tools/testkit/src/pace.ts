// How a test waits: on a simulated clock until nothing is left to do, against a real broker until a condition holds or
// the time is over.
import type { SimClock } from "./sim-clock.ts";

export interface Pace {
  /** Resolves when the condition holds, or when waiting longer is of no use. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when everything that was sent must have arrived. */
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

/** Milliseconds. Only failing tests wait that long. */
const PATIENCE = 5_000;
/** Milliseconds in which a packet that must not come would have come. */
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
