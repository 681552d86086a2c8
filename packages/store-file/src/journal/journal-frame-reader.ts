// Reads the frames of one file from front to back through a window of fixed size. It reports what is bad and where;
// recovery.ts decides what that means.
import { readSync } from "node:fs";
import { FRAME_HEAD_BYTES, FRAME_MAGIC, frameIsWhole, HEAD_BYTES, readFrameHead } from "./format.ts";

const WINDOW_BYTES = 1024 * 1024;

/** `payload` is valid until the next frame is read. */
export interface Frame {
  readonly number: number;
  readonly synced: number;
  readonly oldest: number;
  readonly offset: number;
  readonly payload: Buffer;
  readonly payloadOffset: number;
}

export interface BadFrame {
  readonly offset: number;
  /** The file ends before the frame ends, as after an interrupted write. */
  readonly incomplete: boolean;
  readonly reason: string;
}

export class JournalFrameReader {
  readonly size: number;
  /** Offset of the next frame. */
  offset: number = HEAD_BYTES;
  readonly #fd: number;
  #window: Buffer = Buffer.alloc(0);
  #windowOffset = 0;
  #buffer: Buffer | undefined;

  constructor(fd: number, size: number) {
    this.#fd = fd;
    this.size = size;
  }

  /** The next frame; or a bad one, and the reader stays before it; or undefined at the end of the file. */
  next(): Frame | BadFrame | undefined {
    const left = this.size - this.offset;
    if (left <= 0) return undefined;
    if (left < FRAME_HEAD_BYTES) return this.#bad(true, `${left} bytes are too few for a frame`);
    const head = readFrameHead(this.#read(this.offset, FRAME_HEAD_BYTES), 0);
    if (head === undefined) return this.#bad(false, "no frame starts here");
    const size = FRAME_HEAD_BYTES + head.length;
    if (size > left) return this.#bad(true, `a frame of ${size} bytes does not fit in the ${left} bytes left`);
    const bytes = this.#read(this.offset, size);
    if (bytes.length < size || !frameIsWhole(bytes, head)) return this.#bad(false, "the checksum does not match");
    const { offset } = this;
    this.offset += size;
    const payload = bytes.subarray(FRAME_HEAD_BYTES);
    const { number, synced, oldest } = head;
    return { number, synced, oldest, offset, payload, payloadOffset: offset + FRAME_HEAD_BYTES };
  }

  /**
   * Moves to the next valid frame after a bad one.
   * @returns false when there is none
   */
  resync(): boolean {
    for (let from = this.offset + 1; from < this.size; ) {
      const bytes = this.#read(from, Math.min(WINDOW_BYTES, this.size - from));
      const found = bytes.indexOf(FRAME_MAGIC);
      if (found < 0) {
        from += Math.max(1, bytes.length - FRAME_MAGIC.length + 1);
        continue;
      }
      const before = this.offset;
      this.offset = from + found;
      const frame = this.next();
      if (frame !== undefined && "payload" in frame) {
        this.offset = frame.offset;
        return true;
      }
      from = this.offset + 1;
      this.offset = before;
    }
    return false;
  }

  #bad(incomplete: boolean, reason: string): BadFrame {
    return { offset: this.offset, incomplete, reason };
  }

  /** A view of `size` bytes; shorter only if the file has shrunk meanwhile. */
  #read(offset: number, size: number): Buffer {
    const start = offset - this.#windowOffset;
    if (start >= 0 && start + size <= this.#window.length) return this.#window.subarray(start, start + size);
    const wanted = Math.max(size, Math.min(WINDOW_BYTES, this.size - offset));
    if (this.#buffer === undefined || this.#buffer.length < wanted || this.#buffer.length > 4 * WINDOW_BYTES) {
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(wanted, Math.min(WINDOW_BYTES, this.size)));
    }
    let got = 0;
    while (got < wanted) {
      const read = readSync(this.#fd, this.#buffer, got, wanted - got, offset + got);
      if (read === 0) break;
      got += read;
    }
    this.#window = this.#buffer.subarray(0, got);
    this.#windowOffset = offset;
    return this.#window.subarray(0, Math.min(size, got));
  }
}
