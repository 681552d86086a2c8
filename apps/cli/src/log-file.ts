// Writes log lines. A broker does not stop when its log cannot be written (disk full, reader gone): such lines are
// counted, and before the next line that can be written comes one with their number.
import { writeSync } from "node:fs";

/** Like `writeSync`: returns how many bytes were taken from `at` on. */
export type WriteBytes = (bytes: Uint8Array, at: number) => number;

const STDERR = 2;

export class LogFile {
  readonly #writeBytes: WriteBytes;
  /** A line with the number of missing lines, and the reason. */
  readonly #gap: (lost: number, code: string) => string;
  #lost = 0;
  #code = "";
  /** The last write has ended within a line. */
  #isTorn = false;

  constructor(
    gap: (lost: number, code: string) => string,
    writeBytes: WriteBytes = (bytes, at) => writeSync(STDERR, bytes, at),
  ) {
    this.#gap = gap;
    this.#writeBytes = writeBytes;
  }

  /** When it returns the line is written or lost. */
  write(line: string): void {
    if (this.#lost > 0 && this.#put(this.#gap(this.#lost, this.#code))) this.#lost = 0;
    if (this.#lost > 0 || !this.#put(line)) this.#lost++;
  }

  #put(line: string): boolean {
    const bytes = Buffer.from(this.#isTorn ? `\n${line}` : line);
    let at = 0;
    try {
      while (at < bytes.length) at += this.#writeBytes(bytes, at);
    } catch (error) {
      this.#code = (error as NodeJS.ErrnoException).code ?? "";
      if (at > 0) this.#isTorn = true;
      return false;
    }
    this.#isTorn = false;
    return true;
  }
}
