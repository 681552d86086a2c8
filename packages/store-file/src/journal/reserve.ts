// Some room set aside while there is plenty: on a full disk it is what lets a store be opened, queues drain and files be
// cleaned.

import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, openSync, statfsSync, statSync, truncateSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const MOST_BYTES = 4 * 1024 * 1024;
/** What is lent at once: enough for small files, next to nothing of the whole. */
const LOAN_BYTES = 64 * 1024;

/** Has the system refused to write because there is no room? */
export function isNoRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

/** Gives some of the room that was set aside in a directory to whoever writes next; false when there is none. */
export function lendRoom(directory: string): boolean {
  const path = pathIn(directory);
  const size = sizeOf(path);
  if (size === 0) return false;
  truncateSync(path, Math.max(0, size - LOAN_BYTES));
  return true;
}

export class Reserve {
  readonly #directory: string;
  readonly #path: string;
  readonly #most: number;
  /** What it has or, once it was given away, what it has to have again. */
  #bytes = 0;
  #held = false;

  constructor(directory: string, segmentBytes: number) {
    this.#directory = directory;
    this.#path = pathIn(directory);
    this.#most = Math.floor(Math.min(MOST_BYTES, segmentBytes));
  }

  /** Was it given away, and is there no room yet to have it again? Then nothing but what makes room may be written. */
  get isLent(): boolean {
    return this.#bytes > 0 && !this.#held;
  }

  /** Takes the room, if it can be had: at first not more than half of what is free, later as much as it was. */
  take(): void {
    if (this.#held) return;
    const size = sizeOf(this.#path);
    const free = freeBytes(this.#directory);
    const wanted = this.isLent ? this.#bytes : Math.max(size, Math.floor((free + size) / 2));
    const bytes = Math.min(this.#most, wanted);
    if (bytes - size <= free && this.#resize(size, bytes)) this.#bytes = bytes;
    // What is left of an earlier one stays, though it cannot be made whole now.
    else this.#bytes = Math.max(this.#bytes, size);
    this.#held = this.#bytes > 0 && sizeOf(this.#path) === this.#bytes;
    if (!this.#held) this.#remove();
  }

  /** Gives the room to whoever writes next; false when there was none. */
  release(): boolean {
    if (!this.#held) return false;
    this.#held = false;
    this.#remove();
    return true;
  }

  /** @returns false: it is as long as it was */
  #resize(from: number, to: number): boolean {
    try {
      const fd = openSync(this.#path, from === 0 ? "w" : "r+");
      try {
        // Not zeros: file systems that compress would keep no room for them.
        const bytes = randomFillSync(Buffer.allocUnsafe(Math.max(0, to - from)));
        const isWhole = writeSync(fd, bytes, 0, bytes.length, from) === bytes.length;
        ftruncateSync(fd, isWhole ? to : from);
        return isWhole;
      } finally {
        closeSync(fd);
      }
    } catch {
      // There is no room for it now.
      return false;
    }
  }

  #remove(): void {
    try {
      unlinkSync(this.#path);
    } catch {
      // It was not made.
    }
  }
}

/** Bytes that may be written, as far as the system tells. */
function freeBytes(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function pathIn(directory: string): string {
  return join(directory, "reserve");
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
