// Frees the space of records that are not needed any more. The journal may be as large as twice what is needed plus two
// files; beyond that the oldest file is read in small steps between other work, what is needed of it is appended at the
// end, and the file is removed. Files in which nothing is needed are removed at once.
import { closeSync, openSync } from "node:fs";
import { StoreError } from "@wrenmq/store";
import type { Ledger } from "../index/ledger.ts";
import { beginFrame, FRAME_HEAD_BYTES } from "../journal/format.ts";
import { isFull, type Journal, type JournalFile } from "../journal/journal.ts";
import { JournalFrameReader } from "../journal/journal-frame-reader.ts";
import type { RecordWriter } from "../journal/record-writer.ts";
import { Mover, moveAll } from "./mover.ts";

export interface CleanerContext {
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly writer: RecordWriter;
  readonly segmentBytes: number;
  readonly maxBytes: number | undefined;
  /** Called when cleaning has stopped for good. */
  readonly onTrouble?: (error: Error) => void;
}

/** Bytes read in one step: well under a millisecond. */
const STEP_BYTES = 256 * 1024;
const STEPS_AT_ONCE = 8;
/** Bytes of a file besides records: its header, and the headers of some frames. Matters only for very small files. */
const FILE_OVERHEAD = 256;

export class Cleaner {
  readonly #context: CleanerContext;
  readonly #mover: Mover;
  #reading: { readonly file: JournalFile; readonly fd: number; readonly frames: JournalFrameReader } | undefined;
  #scheduled: NodeJS.Immediate | undefined;
  /** Files with lower numbers are cleaned whether it is worth it or not: the disk is full. */
  #pressedBelow = 0;
  #broken = false;
  /** Files from this number on were made by cleaning, since the last batch: cleaning them again is of no use. */
  #until = 0;

  constructor(context: CleanerContext) {
    this.#context = context;
    this.#mover = new Mover(context.ledger, context.writer);
  }

  /** May a frame be written? One that only frees space may exceed the limit by one file. */
  hasRoom(size: number, releasing: boolean): boolean {
    const { maxBytes, journal, segmentBytes } = this.#context;
    if (maxBytes === undefined) return true;
    return journal.bytes + size <= maxBytes + (releasing ? segmentBytes : 0);
  }

  /** Called after each batch: does the work that is due later, or at once when writing is faster than cleaning. */
  schedule(): void {
    this.#until = this.#context.journal.tailNumber;
    this.#schedule();
  }

  #schedule(): void {
    this.#dropDead();
    if (!this.#due(1)) return;
    for (let steps = 0; steps < STEPS_AT_ONCE && this.#due(2) && this.#tryStep(); steps++);
    if (this.#scheduled !== undefined) return;
    this.#scheduled = setImmediate(() => {
      this.#scheduled = undefined;
      if (this.#tryStep()) this.#schedule();
    }).unref();
  }

  /** The disk is full: cleans every existing file once. */
  press(): void {
    this.#leaveFile();
    this.#pressedBelow = this.#context.journal.tailNumber;
    this.schedule();
  }

  /**
   * The file to which frames are appended is never cleaned: when it is the only one, and little of it is needed, a new
   * one is begun.
   */
  #leaveFile(): void {
    const { journal, ledger } = this.#context;
    const isWorthIt = journal.bytes > STEP_BYTES && ledger.liveBytes < 0.1 * journal.bytes;
    if (journal.files.length > 1 || !isWorthIt) return;
    try {
      journal.rotate();
    } catch (error) {
      if (!isFull(error)) throw error;
      if (journal.releaseReserve()) journal.rotate();
    }
  }

  /** Cleans now, as long as it is worth it, until there is space for a frame of this size. */
  makeRoom(size: number): void {
    this.#dropDead();
    const { journal, ledger } = this.#context;
    // Each pass through all files moves everything once, which is enough.
    const last = journal.tailNumber;
    while (!this.#broken && !this.hasRoom(size, false) && (journal.files[0]?.number ?? last) < last) {
      if (ledger.liveBytes > 0.9 * journal.bytes) return;
      if (!this.#tryStep()) return;
    }
  }

  /** Writes everything that is needed to new files, and removes the old ones or passes them to `aside`. */
  async rewrite(aside?: (file: JournalFile) => void): Promise<void> {
    this.stop();
    this.rewriteNow(aside);
    await this.#context.journal.settled();
  }

  rewriteNow(aside?: (file: JournalFile) => void): void {
    const { ledger, journal, writer } = this.#context;
    const old = journal.files.length;
    journal.rotate();
    const before = journal.tailNumber;
    beginFrame(writer);
    moveAll(
      ledger,
      before,
      writer,
      (place) => journal.read(place),
      () => {
        if (writer.length < STEP_BYTES) return false;
        this.#writeFrame();
        return true;
      },
    );
    this.#writeFrame();
    for (let i = 0; i < old; i++) this.#removeOldest(aside);
  }

  stop(): void {
    if (this.#scheduled !== undefined) clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    this.#endReading();
  }

  #due(factor: number): boolean {
    const { ledger, journal, segmentBytes } = this.#context;
    const oldest = journal.files[0];
    if (this.#broken || oldest === undefined || oldest.number >= this.#until) return false;
    if (factor === 1 && oldest.number < this.#pressedBelow) return true;
    return journal.bytes > factor * 2 * (ledger.liveBytes + segmentBytes) + FILE_OVERHEAD * journal.files.length;
  }

  /** @returns false when it failed: no space is left at all, or worse, which the next batch will find out itself */
  #tryStep(): boolean {
    try {
      this.#step();
      return true;
    } catch (error) {
      if (isFull(error)) {
        this.#pressedBelow = 0;
        return this.#context.journal.releaseReserve();
      }
      // The store continues and its files only grow: the operator can choose when to mend that.
      this.#broken = true;
      this.#endReading();
      this.#context.onTrouble?.(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  }

  #step(): void {
    const { journal, writer } = this.#context;
    const oldest = journal.files[0];
    if (oldest === undefined || oldest.number === journal.tailNumber) return;
    if (this.#reading?.file !== oldest) {
      this.#endReading();
      const fd = openSync(oldest.path, "r");
      this.#reading = { file: oldest, fd, frames: new JournalFrameReader(fd, oldest.size) };
    }
    const { frames } = this.#reading;
    const until = frames.offset + STEP_BYTES;
    const from = frames.offset;
    beginFrame(writer);
    this.#mover.beginStep();
    let done = false;
    while (frames.offset < until) {
      const frame = frames.next();
      if (frame === undefined) {
        done = true;
        break;
      }
      if (!("payload" in frame)) {
        throw new StoreError("ERR_STORE_DAMAGED", `${oldest.path} was changed while it was in use: ${frame.reason}`);
      }
      this.#mover.move(oldest.number, frame.payload, frame.payloadOffset);
    }
    try {
      this.#writeFrame();
    } catch (error) {
      frames.offset = from;
      throw error;
    }
    if (done) this.#removeOldest();
  }

  /** Writes the frame that was built, and updates the ledger with the new positions. */
  #writeFrame(): void {
    const { ledger, journal, writer } = this.#context;
    if (writer.length === FRAME_HEAD_BYTES) return;
    const { file, payload, payloadOffset } = journal.append(writer);
    ledger.read(file, payload, payloadOffset);
    beginFrame(writer);
  }

  #dropDead(): void {
    const { ledger, journal } = this.#context;
    for (;;) {
      const oldest = journal.files[0];
      if (oldest === undefined || oldest.number === journal.tailNumber || ledger.liveFacts(oldest.number) !== 0) return;
      if (!this.#removeOldest()) return;
    }
  }

  #removeOldest(aside?: (file: JournalFile) => void): boolean {
    const { ledger, journal } = this.#context;
    const oldest = journal.files[0];
    if (oldest === undefined || !journal.removeOldest(aside)) return false;
    if (this.#reading?.file === oldest) this.#endReading();
    ledger.forget(oldest.number);
    return true;
  }

  #endReading(): void {
    if (this.#reading !== undefined) closeSync(this.#reading.fd);
    this.#reading = undefined;
  }
}
