// Time, as a value: tests have their own.

export interface Clock {
  /** Milliseconds; it does not jump. */
  now(): number;
  /** @returns a function that cancels it */
  at(time: number, callback: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  at(time, callback) {
    const timer = setTimeout(callback, Math.max(0, time - performance.now()));
    return () => clearTimeout(timer);
  },
};
