// Writes log lines: those of a few milliseconds together. A broker does not stop when its log cannot
// be written (disk full, reader gone): such lines are counted, and before the next line that can be written comes one
// with their number.
import { writeSync } from "node:fs";

/** Like `writeSync`: returns how many bytes were taken from `at` on. */
export type WriteBytes = (bytes: Uint8Array, at: number) => number;

const STDERR = 2;
/** Bytes of one write. Several processes write to the same pipe, which keeps no more than this in one piece. */
const AT_ONCE = 4096;
/** Milliseconds that a line waits for others. */
const DELAY = 10;
const NEWLINE = 0x0a;

export interface LogFileOptions {
  /** Default: to stderr. */
  readonly writeBytes?: WriteBytes | undefined;
  /** Calls back soon. Default: after ten milliseconds, if the process still runs then. */
  readonly later?: (flush: () => void) => void;
}

const logs = new Set<LogFile>();

/** Writes what the logs of this process still have: before its end, and before anything else goes to stderr. */
export function flushLogs(): void {
  for (const log of logs) log.flush();
}

process.on("exit", flushLogs);

/** A log of this process, which lasts as long as the process. */
export function openLogFile(gap: (lost: number, code: string) => string, options: LogFileOptions): LogFile {
  const log = new LogFile(gap, options);
  logs.add(log);
  return log;
}

export class LogFile {
  readonly #writeBytes: WriteBytes;
  readonly #later: (flush: () => void) => void;
  /** A line with the number of missing lines, and the reason. */
  readonly #gap: (lost: number, code: string) => string;
  /** Lines that are not written yet. */
  readonly #buffer = Buffer.allocUnsafe(AT_ONCE);
  #used = 0;
  #lines = 0;
  #isAwaited = false;
  #lost = 0;
  #code = "";
  /** The last write has ended within a line. */
  #isTorn = false;

  constructor(gap: (lost: number, code: string) => string, { writeBytes, later = soon }: LogFileOptions = {}) {
    this.#gap = gap;
    this.#writeBytes = writeBytes ?? ((bytes, at) => writeSync(STDERR, bytes, at));
    this.#later = later;
  }

  /** Adds a line, with its newline. It is written, or lost, soon. */
  write(line: string): void {
    const size = Buffer.byteLength(line);
    if (this.#used + size > AT_ONCE) this.flush();
    if (size > AT_ONCE) {
      this.#put(Buffer.from(line), 1);
      return;
    }
    this.#used += this.#buffer.write(line, this.#used);
    this.#lines++;
    if (this.#isAwaited) return;
    this.#isAwaited = true;
    this.#later(() => {
      this.#isAwaited = false;
      this.flush();
    });
  }

  /** When it returns, every line is written or lost. */
  flush(): void {
    if (this.#lines === 0) return;
    const bytes = this.#buffer.subarray(0, this.#used);
    const lines = this.#lines;
    this.#used = 0;
    this.#lines = 0;
    this.#put(bytes, lines);
  }

  #put(bytes: Uint8Array, lines: number): void {
    if (this.#lost > 0 && this.#append(Buffer.from(this.#gap(this.#lost, this.#code)), 1) === 1) this.#lost = 0;
    this.#lost += this.#lost > 0 ? lines : lines - this.#append(bytes, lines);
  }

  /** @returns the number of whole lines that were written */
  #append(bytes: Uint8Array, lines: number): number {
    const whole = this.#isTorn ? Buffer.concat([Buffer.of(NEWLINE), bytes]) : bytes;
    const isLate = this.#isTorn;
    let at = 0;
    try {
      while (at < whole.length) at += this.#writeBytes(whole, at);
    } catch (error) {
      this.#code = (error as NodeJS.ErrnoException).code ?? "";
      if (at === 0) return 0;
      this.#isTorn = whole[at - 1] !== NEWLINE;
      // A line that lacks its newline only is whole: the next write begins with one.
      const end = this.#isTorn && whole[at] === NEWLINE ? at + 1 : at;
      return newlines(whole.subarray(0, end)) - (isLate ? 1 : 0);
    }
    this.#isTorn = false;
    return lines;
  }
}

function soon(flush: () => void): void {
  setTimeout(flush, DELAY).unref();
}

function newlines(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte === NEWLINE) count++;
  return count;
}
