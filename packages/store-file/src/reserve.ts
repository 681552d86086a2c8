// Some room set aside while there is plenty: on a full disk it is what lets queues drain and files be cleaned.

import { randomFillSync } from "node:crypto";
import { closeSync, openSync, statSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const MOST_BYTES = 4 * 1024 * 1024;

export class Reserve {
  readonly #path: string;
  readonly #bytes: number;
  #held = false;

  constructor(directory: string, segmentBytes: number) {
    this.#path = join(directory, "reserve");
    this.#bytes = Math.floor(Math.min(MOST_BYTES, segmentBytes));
  }

  /** Takes the room again, if it can be had. */
  take(): void {
    if (this.#held) return;
    if (statSync(this.#path, { throwIfNoEntry: false })?.size === this.#bytes) {
      this.#held = true;
      return;
    }
    try {
      const fd = openSync(this.#path, "w");
      try {
        // Not zeros: file systems that compress would keep no room for them.
        const bytes = randomFillSync(Buffer.allocUnsafe(this.#bytes));
        if (writeSync(fd, bytes) < bytes.length) throw new Error("short write");
      } finally {
        closeSync(fd);
      }
      this.#held = true;
    } catch {
      this.#remove();
    }
  }

  /** Gives the room to whoever writes next; false when there was none. */
  release(): boolean {
    if (!this.#held) return false;
    this.#held = false;
    this.#remove();
    return true;
  }

  #remove(): void {
    try {
      unlinkSync(this.#path);
    } catch {
      // It was not made.
    }
  }
}
