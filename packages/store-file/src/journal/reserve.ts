// A file that reserves space while there is plenty: on a full disk its space is what lets a store be opened, queues
// drain and files be cleaned.

import { randomFillSync } from "node:crypto";
import { closeSync, ftruncateSync, openSync, statfsSync, statSync, truncateSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";

const MOST_BYTES = 4 * 1024 * 1024;
/** Released at once: enough for small files, very little of the whole. */
const LOAN_BYTES = 64 * 1024;

/** Did a write fail because there is no space? */
export function isNoRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

/**
 * Releases some of the reserve of a directory for the next write.
 * @returns false when there is none
 */
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
  /** Its size; when it is released, the size to allocate again. */
  #bytes = 0;
  #held = false;

  constructor(directory: string, segmentBytes: number) {
    this.#directory = directory;
    this.#path = pathIn(directory);
    this.#most = Math.floor(Math.min(MOST_BYTES, segmentBytes));
  }

  /** Is it released, with too little space to allocate it again? Then only what frees space may be written. */
  get isLent(): boolean {
    return this.#bytes > 0 && !this.#held;
  }

  /** Allocates the reserve if possible: at first at most half of the free space, later its former size. */
  take(): void {
    if (this.#held) return;
    const size = sizeOf(this.#path);
    const free = freeBytes(this.#directory);
    const wanted = this.isLent ? this.#bytes : Math.max(size, Math.floor((free + size) / 2));
    const bytes = Math.min(this.#most, wanted);
    if (bytes - size <= free && this.#resize(size, bytes)) this.#bytes = bytes;
    // What is left of an earlier reserve stays, although it cannot be completed now.
    else this.#bytes = Math.max(this.#bytes, size);
    this.#held = this.#bytes > 0 && sizeOf(this.#path) === this.#bytes;
    if (!this.#held) this.#remove();
  }

  /**
   * Releases the space for the next write.
   * @returns false when there was none
   */
  release(): boolean {
    if (!this.#held) return false;
    this.#held = false;
    this.#remove();
    return true;
  }

  /** @returns false: the file has its old length */
  #resize(from: number, to: number): boolean {
    try {
      const fd = openSync(this.#path, from === 0 ? "w" : "r+");
      try {
        // Random, not zero: file systems that compress would allocate no space for zeros.
        const bytes = randomFillSync(Buffer.allocUnsafe(Math.max(0, to - from)));
        const isWhole = writeSync(fd, bytes, 0, bytes.length, from) === bytes.length;
        ftruncateSync(fd, isWhole ? to : from);
        return isWhole;
      } finally {
        closeSync(fd);
      }
    } catch {
      // There is no space for it now.
      return false;
    }
  }

  #remove(): void {
    try {
      unlinkSync(this.#path);
    } catch {
      // There is no such file.
    }
  }
}

/** Bytes that may be written, as far as the system reports it. */
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
