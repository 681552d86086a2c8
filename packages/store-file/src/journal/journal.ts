// The files of the journal: frames are added to the last one, the first one goes when nothing in it holds any more. It
// knows nothing of what frames mean.
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
import type { Place } from "./place.ts";
import { RecordWriter } from "./record-writer.ts";
import { isNoRoom, Reserve } from "./reserve.ts";

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);
/** Windows opens no directories, and needs no such thing. */
const CAN_SYNC_DIRECTORIES = process.platform !== "win32";

export interface JournalFile {
  readonly number: number;
  readonly path: string;
  size: number;
}

export interface JournalStart {
  readonly directory: string;
  readonly segmentBytes: number;
  /** Oldest first; the last is added to. */
  readonly files: readonly JournalFile[];
  readonly lastFrame: number;
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
  /** Why nothing can be written any more. */
  failure: StoreError | undefined;
  bytes = 0;
  readonly #directory: string;
  readonly #segmentBytes: number;
  readonly #directoryFd: number;
  readonly #bodies: BodyReader;
  readonly #reserve: Reserve;
  #tail: JournalFile | undefined;
  #fd = -1;
  /** Files that are full but perhaps not yet on disk. */
  #full: number[] = [];
  #directoryChanged = false;
  /** A journal that was only read needs no new seal. */
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
    // What was read at the start counts as on disk from now on, so it has to be. Older files are: see #rotate.
    for (const { path } of this.files.slice(-2)) syncFile(path);
    const last = this.files.at(-1);
    if (last !== undefined && last.size < this.#segmentBytes) {
      this.#fd = openSync(last.path, "r+");
      this.#tail = last;
    }
  }

  /** The file that frames are added to now. */
  get tailNumber(): number {
    return this.#tail?.number ?? 0;
  }

  /**
   * Completes the frame that was built, adds it, and says where its payload lies. All or nothing.
   * @throws StoreError ERR_STORE_FULL, ERR_STORE_WRITE
   */
  append(writer: RecordWriter): Appended {
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
    return { file: tail.number, payload: frame.subarray(FRAME_HEAD_BYTES), payloadOffset: at + FRAME_HEAD_BYTES };
  }

  /** Starts a new file with the next frame. */
  rotate(): void {
    this.#rotate();
  }

  /** @throws StoreError ERR_STORE_DAMAGED when the file is shorter than it was */
  read(place: Place): Buffer {
    return this.#bodies.read(place);
  }

  /** Is the room that was set aside given up, and not to be had again yet? */
  get needsReserve(): boolean {
    if (this.#reserve.isLent) this.#reserve.take();
    return this.#reserve.isLent;
  }

  /** Gives up the room that was set aside; false when there is none (any more). */
  releaseReserve(): boolean {
    return this.#reserve.release();
  }

  /** Resolves when every frame written so far is on disk. Those who ask while a sync is under way share the next. */
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
   * Removes the oldest file, once everything that was written after it is on disk, and with it that the journal begins
   * later now. False when there is no room to say so.
   */
  removeOldest(aside?: (file: JournalFile) => void): boolean {
    const file = this.files.shift();
    if (file === undefined) return false;
    if (!this.#announce()) {
      this.files.unshift(file);
      return false;
    }
    this.bytes -= file.size;
    const removed = this.#removing.then(async () => {
      await this.sync();
      this.#bodies.forget(file.number);
      if (aside === undefined) await unlink(file.path);
      else aside(file);
      // Before the next one goes: a gap in the journal would look like damage.
      await this.#syncDirectory();
      this.#reserve.take();
    });
    // A file that could not be removed is read again at the next start, which does no harm.
    this.#removing = removed.catch(() => {});
    return true;
  }

  /** Resolves when the files that were to be removed are. */
  settled(): Promise<void> {
    return this.#removing;
  }

  /**
   * Waits for what is under way, then closes the files. An empty frame comes last: it witnesses that all frames before it
   * were on disk, so that whatever is missing later was not lost in a power failure.
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

  /** Adds an empty frame, for what its head says. False when there is no room for it. */
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
        // After a failed sync nobody knows what is on disk, and asking again would be told "all is well".
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
