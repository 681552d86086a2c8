// Bounds the log lines of one kind: a number of lines within a window, then one line with the number of the others.
import type { Millis } from "@wrenmq/protocol";
import type { Clock } from "./clock.ts";
import type { Timers } from "./timers.ts";

/** The lines of one kind within a window. The caller keeps it, by whatever tells kinds apart. */
export interface LineWindow {
  readonly since: Millis;
  logged: number;
  unlogged: number;
}

export interface LineLimitOptions {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Lines within a window. */
  readonly lines: number;
  /** Milliseconds. */
  readonly window: Millis;
}

export class LineLimit {
  readonly #options: LineLimitOptions;

  constructor(options: LineLimitOptions) {
    this.#options = options;
  }

  /**
   * Logs a line, or counts it.
   * @param present the window of the last line of this kind
   * @param rest called at the end of the window with the number of lines that were not logged, if there are any
   * @returns the window to keep
   */
  log(present: LineWindow | undefined, line: () => void, rest: (times: number) => void): LineWindow {
    const { clock, timers, lines, window: length } = this.#options;
    const now = clock.now();
    const isOver = present === undefined || now < present.since || now >= present.since + length;
    const window = isOver ? { since: now, logged: 0, unlogged: 0 } : present;
    if (window.logged < lines) {
      window.logged++;
      line();
    } else {
      window.unlogged++;
      if (window.unlogged === 1) timers.at(window.since + length, () => rest(window.unlogged));
    }
    return window;
  }
}
