// The files of the journal: appends frames to the last file, and removes the first one when nothing in it is needed.
// Does not interpret frames.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsync,
  fsyncSync,
  ftruncateSync,
  openSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { StoreError } from "@wrenmq/store";
import { BodyReader } from "./body-reader.ts";
import { beginFrame, FRAME_HEAD_BYTES, fileHead, finishFrame, HEAD_BYTES, MAX_FRAME_BYTES } from "./format.ts";
import type { JournalMirror } from "./journal-mirror.ts";
import type { Place } from "./place.ts";
import { RecordWriter } from "./record-writer.ts";
import { isNoRoom, Reserve } from "./reserve.ts";

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);
/** Windows cannot open directories, and does not need to sync them. */
const CAN_SYNC_DIRECTORIES = process.platform !== "win32";

export interface JournalFile {
  readonly number: number;
  readonly path: string;
  size: number;
}

export interface JournalStart {
  readonly directory: string;
  readonly segmentBytes: number;
  /** Oldest first; frames are appended to the last. */
  readonly files: readonly JournalFile[];
  readonly lastFrame: number;
  readonly mirror: JournalMirror | undefined;
}

export function journalPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(8, "0")}.journal`);
}

export interface Appended {
  readonly file: number;
  readonly payload: Buffer;
  readonly payloadOffset: number;
}

interface Waiting {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class Journal {
  readonly files: JournalFile[];
  lastFrame: number;
  /** The last frame that is known to be on disk. */
  synced: number;
  /** Why nothing can be written any more; undefined: writing works. */
  failure: StoreError | undefined;
  bytes = 0;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #directoryFd: number;
  readonly #bodies: BodyReader;
  readonly #reserve: Reserve;
  readonly #mirror: JournalMirror | undefined;
  #tail: JournalFile | undefined;
  #fd = -1;
  /** Files that are full but may not be on disk. */
  #full: number[] = [];
  #directoryChanged = false;
  /** After reading only, the journal needs no new final frame. */
  readonly #sealed: number;
  readonly #announcement = new RecordWriter(FRAME_HEAD_BYTES);
  #waiting: Waiting | undefined;
  #syncing: Promise<void> | undefined;
  #removing: Promise<void> = Promise.resolve();

  constructor(start: JournalStart) {
    this.#directory = start.directory;
    this.#segmentBytes = start.segmentBytes;
    this.files = [...start.files];
    for (const { size } of this.files) this.bytes += size;
    this.lastFrame = start.lastFrame;
    this.synced = start.lastFrame;
    this.#sealed = start.lastFrame;
    this.#directoryFd = CAN_SYNC_DIRECTORIES ? openSync(start.directory, "r") : -1;
    this.#bodies = new BodyReader((file) => journalPath(start.directory, file));
    this.#reserve = new Reserve(start.directory, start.segmentBytes);
    this.#reserve.take();
    this.#mirror = start.mirror;
    // Recovery treats what it has read as durable, so it has to be. Older files are: see #rotate.
    for (const { path } of this.files.slice(-2)) syncFile(path);
    const last = this.files.at(-1);
    if (last !== undefined && last.size < this.#segmentBytes) {
      this.#fd = openSync(last.path, "r+");
      this.#tail = last;
    }
  }

  /** The file to which frames are appended. */
  get tailNumber(): number {
    return this.#tail?.number ?? 0;
  }

  /**
   * Completes the frame that `writer` has built, appends it, and returns where its payload is. All or nothing.
   * @param isReplayed it came from the mirror
   * @throws StoreError ERR_STORE_FULL, ERR_STORE_WRITE
   */
  append(writer: RecordWriter, isReplayed = false): Appended {
    if (this.failure !== undefined) throw this.failure;
    if (writer.length > MAX_FRAME_BYTES) throw new StoreError("ERR_STORE_WRITE", "a batch is larger than 3.5 GB");
    if (this.#tail === undefined || this.#tail.size >= this.#segmentBytes) this.#rotate();
    const tail = this.#tail!;
    const oldest = this.files[0]?.number ?? tail.number;
    const frame = finishFrame(writer, this.lastFrame + 1, this.synced, oldest);
    const at = tail.size;
    this.#write(frame, at);
    tail.size += frame.length;
    this.bytes += frame.length;
    this.lastFrame++;
    const payload = frame.subarray(FRAME_HEAD_BYTES);
    if (this.#mirror !== undefined && !isReplayed && payload.length > 0) this.#mirror.onFrame(payload, tail.number);
    return { file: tail.number, payload, payloadOffset: at + FRAME_HEAD_BYTES };
  }

  /** The next frame begins a new file. */
  rotate(): void {
    this.#rotate();
  }

  /** @throws StoreError ERR_STORE_DAMAGED when the file is shorter than it was */
  read(place: Place): Buffer {
    return this.#bodies.read(place);
  }

  /** Is the reserve released, with too little space to allocate it again? */
  get needsReserve(): boolean {
    if (this.#reserve.isLent) this.#reserve.take();
    return this.#reserve.isLent;
  }

  /**
   * Releases the reserve.
   * @returns false when there is none (any more)
   */
  releaseReserve(): boolean {
    return this.#reserve.release();
  }

  /** Resolves when every frame written so far is on disk. Calls during a sync share the next sync. */
  sync(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    if (this.lastFrame === this.synced && this.#full.length === 0 && !this.#directoryChanged) return Promise.resolve();
    if (this.#waiting === undefined) {
      let resolve: () => void = () => {};
      let reject: (error: Error) => void = () => {};
      const promise = new Promise<void>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      this.#waiting = { promise, resolve, reject };
    }
    const { promise } = this.#waiting;
    this.#syncing ??= this.#runSyncs();
    return promise;
  }

  /**
   * Removes the oldest file, once everything that was written after it is on disk, and so is the fact that the journal
   * begins later.
   * @returns false when there is no space to record that
   */
  removeOldest(aside?: (file: JournalFile) => void): boolean {
    const file = this.files.shift();
    if (file === undefined) return false;
    if (!this.#announce()) {
      this.files.unshift(file);
      return false;
    }
    this.bytes -= file.size;
    this.#mirror?.onDropped(file.number);
    const removed = this.#removing.then(async () => {
      await this.sync();
      this.#bodies.forget(file.number);
      if (aside === undefined) await unlink(file.path);
      else aside(file);
      // Before the next file is removed: a gap in the journal would look like damage.
      await this.#syncDirectory();
      this.#reserve.take();
    });
    // A file that could not be removed is read again at the next start, which does no harm.
    this.#removing = removed.catch(() => {});
    return true;
  }

  /** Resolves when files that are being removed are gone. */
  settled(): Promise<void> {
    return this.#removing;
  }

  /**
   * Waits for what is in progress, then closes the files. An empty frame is written last: it proves that all frames
   * before it were on disk, so that a later loss cannot be explained by a power failure.
   */
  async close(): Promise<void> {
    try {
      await this.#removing;
      if (this.failure === undefined && this.#tail !== undefined) {
        await this.sync();
        if (this.lastFrame !== this.#sealed && this.#announce()) fdatasyncSync(this.#fd);
      }
    } finally {
      await this.#syncing;
      this.closeFiles();
    }
  }

  /**
   * Appends an empty frame, for the sake of its header.
   * @returns false when there is no space for it
   */
  #announce(): boolean {
    const writer = this.#announcement;
    for (;;) {
      beginFrame(writer);
      try {
        this.append(writer);
        return true;
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        if (!isFull(error) || !this.#reserve.release()) return false;
      }
    }
  }

  closeFiles(): void {
    this.#bodies.close();
    for (const fd of this.#full) closeSync(fd);
    this.#full = [];
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    if (this.#directoryFd >= 0) closeSync(this.#directoryFd);
  }

  async #syncDirectory(): Promise<void> {
    if (this.#directoryFd >= 0) await syncAll(this.#directoryFd);
  }

  async #runSyncs(): Promise<void> {
    for (let waiting = this.#waiting; waiting !== undefined; waiting = this.#waiting) {
      this.#waiting = undefined;
      try {
        await this.#syncOnce();
        waiting.resolve();
      } catch (error) {
        // After a failed fsync it is unknown what is on disk, and a second fsync would report success.
        this.failure ??= new StoreError("ERR_STORE_WRITE", `the store could not be written to disk: ${text(error)}`, {
          cause: error,
        });
        waiting.reject(this.failure);
      }
    }
    this.#syncing = undefined;
  }

  async #syncOnce(): Promise<void> {
    const upTo = this.lastFrame;
    const full = this.#full;
    const changed = this.#directoryChanged;
    this.#full = [];
    this.#directoryChanged = false;
    const tail = this.#fd;
    try {
      if (changed) await this.#syncDirectory();
      for (const fd of full) await syncData(fd);
      if (tail >= 0) await syncData(tail);
    } finally {
      for (const fd of full) closeSync(fd);
    }
    this.synced = upTo;
  }

  #rotate(): void {
    const number = (this.files.at(-1)?.number ?? 0) + 1;
    const path = journalPath(this.#directory, number);
    let fd = -1;
    try {
      fd = openSync(path, "wx+");
      writeFully(fd, fileHead(number, this.lastFrame + 1), 0);
    } catch (error) {
      if (fd >= 0) {
        closeSync(fd);
        unlinkSync(path);
      }
      throw storeError(error, "start a new file");
    }
    if (this.#fd >= 0) this.#full.push(this.#fd);
    const first = this.#tail === undefined;
    this.#fd = fd;
    this.#tail = { number, path, size: HEAD_BYTES };
    this.files.push(this.#tail);
    this.bytes += HEAD_BYTES;
    this.#directoryChanged = true;
    if (!first) this.sync().catch(() => {});
  }

  #write(frame: Buffer, at: number): void {
    try {
      writeFully(this.#fd, frame, at);
    } catch (error) {
      const failed = storeError(error, "write");
      try {
        ftruncateSync(this.#fd, at);
      } catch (second) {
        this.failure = new StoreError("ERR_STORE_WRITE", `half a frame could not be taken back: ${text(second)}`, {
          cause: error,
        });
      }
      throw failed;
    }
  }
}

/** Makes changes of a directory (files made, removed, renamed) durable. */
export function syncDirectory(directory: string): void {
  if (!CAN_SYNC_DIRECTORIES) return;
  const fd = openSync(directory, "r");
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFile(path: string): void {
  const fd = openSync(path, "r+");
  try {
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeFully(fd: number, bytes: Buffer, at: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

export function isFull(error: unknown): boolean {
  return error instanceof StoreError && error.code === "ERR_STORE_FULL";
}

export function noRoom(cause?: unknown): StoreError {
  return new StoreError("ERR_STORE_FULL", "no room is left on the disk of the store", { cause });
}

function storeError(error: unknown, what: string): StoreError {
  if (isNoRoom(error)) return noRoom(error);
  return new StoreError("ERR_STORE_WRITE", `the store could not ${what}: ${text(error)}`, { cause: error });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
