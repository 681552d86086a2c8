// The clock that parts of the broker get, so that tests can simulate it. Timers of plugins, transports and measurements
// of the process are Node's.
import type { Millis } from "@wrenmq/protocol";

export interface Clock {
  now(): Millis;
  /** Calls back once at (or soon after) a time; returns a function that cancels. */
  at(time: Millis, callback: () => void): () => void;
  /** Calls back at the end of this turn of the event loop, after everything that has arrived was read. */
  soon(callback: () => void): void;
}

/** Longest delay of a timer of the platform. Milliseconds. */
const LONGEST = 0x7fff_ffff;

export const systemClock: Clock = {
  now: () => Date.now(),
  at(time, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, time - Date.now()), LONGEST));
    // A timer alone does not keep the process alive: listeners and connections do.
    timer.unref();
    return () => clearTimeout(timer);
  },
  soon: (callback) => {
    setImmediate(callback);
  },
};
