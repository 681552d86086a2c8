// Where log lines go. A broker does not stop for its log: lines that cannot be written (the disk is full, nobody reads)
// are counted, and the first that can be written again comes after one that says how many are missing.
import { writeSync } from "node:fs";

/** Like `writeSync`: returns how many bytes were taken from `at` on. */
export type WriteBytes = (bytes: Uint8Array, at: number) => number;

const STDERR = 2;

export class LogFile {
  readonly #writeBytes: WriteBytes;
  /** A line that says that lines are missing, and why. */
  readonly #gap: (lost: number, code: string) => string;
  #lost = 0;
  #code = "";
  /** The last thing written is a part of a line. */
  #isTorn = false;

  constructor(
    gap: (lost: number, code: string) => string,
    writeBytes: WriteBytes = (bytes, at) => writeSync(STDERR, bytes, at),
  ) {
    this.#gap = gap;
    this.#writeBytes = writeBytes;
  }

  /** Written, or lost, when it returns. */
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
