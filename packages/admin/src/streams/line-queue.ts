// What waits between a producer that does not wait (messages, packets) and a reader that may be slow: bounded in number
// and in bytes. What does not fit is counted, and the reader gets the count in its place among the lines.

export interface LineQueueOptions {
  readonly lines: number;
  readonly bytes: number;
}

export class LineQueue<Line> {
  readonly #bounds: LineQueueOptions;
  readonly #signal: AbortSignal;
  #lines: Line[] = [];
  #bytes = 0;
  #dropped = 0;
  #wake: (() => void) | undefined;

  /** @param signal ends it: what waits is not read any more */
  constructor(bounds: LineQueueOptions, signal: AbortSignal) {
    this.#bounds = bounds;
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake?.(), { once: true });
  }

  /** Is there room for a line of so many bytes? If not, it is counted as dropped. */
  admits(bytes: number): boolean {
    const { lines, bytes: most } = this.#bounds;
    if (this.#lines.length < lines && (this.#lines.length === 0 || this.#bytes + bytes <= most)) return true;
    this.#dropped++;
    return false;
  }

  /** Adds a line that `admits` has let in. */
  push(line: Line, bytes: number): void {
    this.#lines.push(line);
    this.#bytes += bytes;
    this.#wake?.();
  }

  /** @returns all that waits, as soon as there is something; undefined: the signal has ended it */
  async take(): Promise<{ readonly lines: readonly Line[]; readonly dropped: number } | undefined> {
    while (!this.#signal.aborted && this.#lines.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#signal.aborted) return undefined;
    const taken = { lines: this.#lines, dropped: this.#dropped };
    this.#lines = [];
    this.#bytes = 0;
    this.#dropped = 0;
    return taken;
  }
}

/** Resolves after a time, or when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    timer.unref();
    signal.addEventListener("abort", done, { once: true });
  });
}
