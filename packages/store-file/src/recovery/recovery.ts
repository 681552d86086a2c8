// Reads a journal from front to back into a ledger and reports what is wrong with it. Changes nothing on disk.
//
// A tear is what a crash leaves: frames at the end that were not written completely, and never acknowledged. Damage is
// everything else: bytes that were on disk once and are not any more.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from "node:fs";
import { join } from "node:path";
import type { Ledger } from "../index/ledger.ts";
import { FORMAT_VERSION, HEAD_BYTES, readFileHead } from "../journal/format.ts";
import type { JournalFile } from "../journal/journal.ts";
import { type Frame, JournalFrameReader } from "../journal/journal-frame-reader.ts";
import { DamagedError } from "../journal/record-reader.ts";

/** Something that is not as it was written. */
export interface Problem {
  /** Name of the file in the store's directory. */
  readonly file: string;
  /** Byte in the file. */
  readonly offset: number;
  readonly reason: string;
}

export interface Tear extends Problem {
  /** Bytes from `offset` to the end of the file. */
  readonly bytes: number;
  /** An interrupted write: it contains nothing of value. */
  readonly incomplete: boolean;
}

export interface Recovered {
  /** Files to continue with, oldest first; sizes end before a tear. */
  readonly files: JournalFile[];
  readonly lastFrame: number;
  readonly frames: number;
  readonly problems: Problem[];
  /** Names of files with problems in them. */
  readonly damaged: ReadonlySet<string>;
  readonly tear: Tear | undefined;
  /** Files after the tear. */
  readonly torn: JournalFile[];
  /** A format newer than this code, which cannot judge it. */
  readonly newerVersion: number | undefined;
}

const FILE_NAME = /^(\d{8,10})\.journal$/;

export function isJournalName(name: string): boolean {
  return FILE_NAME.test(name);
}

export function recover(directory: string, ledger: Ledger): Recovered {
  return new Recovery(directory, ledger).run();
}

class Recovery {
  readonly #directory: string;
  readonly #ledger: Ledger;
  readonly #problems: Problem[] = [];
  readonly #damaged = new Set<string>();
  readonly #kept: JournalFile[] = [];
  #torn: JournalFile[] = [];
  #tear: Tear | undefined;
  #lastFrame = 0;
  #frames = 0;
  #newerVersion: number | undefined;
  #gapExplained = false;
  /** The first file according to the last frame. */
  #oldest = 0;

  constructor(directory: string, ledger: Ledger) {
    this.#directory = directory;
    this.#ledger = ledger;
  }

  run(): Recovered {
    const files = journalFiles(this.#directory);
    for (let i = 0; i < files.length && this.#tear === undefined; i++) {
      this.#readFile(files[i]!, files.slice(i + 1));
      if (this.#tear !== undefined) this.#torn = files.slice(i + 1);
    }
    // What is missing besides known damage is its consequence.
    if (this.#problems.length === 0) this.#checkComplete();
    return {
      files: this.#kept,
      lastFrame: this.#lastFrame,
      frames: this.#frames,
      problems: this.#problems,
      damaged: this.#damaged,
      tear: this.#tear,
      torn: this.#torn,
      newerVersion: this.#newerVersion,
    };
  }

  #readFile(file: JournalFile, later: readonly JournalFile[]): void {
    const fd = openSync(file.path, "r");
    try {
      file.size = fstatSync(fd).size;
      const head = Buffer.alloc(HEAD_BYTES);
      const got = readSync(fd, head, 0, HEAD_BYTES, 0);
      const known = readFileHead(head);
      if (known === undefined) {
        const blank = got < HEAD_BYTES || head.every((byte) => byte === 0);
        if (blank && this.#syncedAfter(file, HEAD_BYTES - 1, later) <= this.#lastFrame) {
          this.#tear = tearAt(file, 0, "the file was being made", !holdsFrames(file));
          return;
        }
        this.#problem(file, 0, "this is not a journal file of WrenMQ, or its head is damaged");
      } else if (known.version > FORMAT_VERSION) {
        this.#newerVersion = known.version;
        this.#problem(file, 0, `the file has format ${known.version}`);
        return;
      } else if (known.fileNumber !== file.number) {
        this.#problem(file, 0, `this is file ${known.fileNumber} under another name`);
      } else if (this.#frames === 0) this.#lastFrame = known.firstFrame - 1;
      this.#kept.push(file);
      this.#readFrames(file, new JournalFrameReader(fd, file.size), later);
    } finally {
      closeSync(fd);
    }
  }

  #readFrames(file: JournalFile, reader: JournalFrameReader, later: readonly JournalFile[]): void {
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if ("payload" in frame) {
        this.#takeIn(file, frame);
        continue;
      }
      const evidence = this.#syncedAfter(file, reader.offset, later);
      if (evidence <= this.#lastFrame) {
        // An invalid header with no valid frame after it: no tear, there never was a frame.
        if (this.#damaged.has(name(file))) return;
        this.#tear = tearAt(file, frame.offset, frame.reason, frame.incomplete);
        file.size = frame.offset;
        return;
      }
      this.#problem(file, frame.offset, frame.reason);
      if (!reader.resync()) return;
    }
  }

  #takeIn(file: JournalFile, frame: Frame): void {
    // After damage a gap is expected.
    if (frame.number !== this.#lastFrame + 1 && !this.#gapExplained) {
      const missing = `frames ${this.#lastFrame + 1} to ${frame.number - 1} are missing`;
      this.#problem(file, frame.offset, frame.number > this.#lastFrame ? missing : "frames are out of order");
    }
    try {
      this.#ledger.read(file.number, frame.payload, frame.payloadOffset);
    } catch (error) {
      if (!(error instanceof DamagedError)) throw error;
      this.#problem(file, frame.offset, error.message);
    }
    this.#gapExplained = false;
    this.#frames++;
    this.#lastFrame = Math.max(this.#lastFrame, frame.number);
    this.#oldest = frame.oldest;
  }

  /** The last frame that was on disk according to valid frames after a bad one; 0: there are none. */
  #syncedAfter(file: JournalFile, offset: number, later: readonly JournalFile[]): number {
    let synced = syncedIn(file, offset);
    for (const other of later) synced = Math.max(synced, syncedIn(other, HEAD_BYTES - 1));
    return synced;
  }

  #checkComplete(): void {
    const first = this.#kept[0];
    if (first === undefined) return;
    if (first.number > this.#oldest && this.#frames > 0) {
      this.#problem(first, 0, `the journal begins with file ${this.#oldest}, which is missing`);
    }
    for (const { clientId, seqs } of this.#ledger.dangling()) {
      const what =
        clientId === undefined
          ? "a session without its record"
          : `${seqs.length} queued messages without their body (client ${JSON.stringify(clientId)})`;
      this.#problem(first, 0, `the journal refers to ${what}: older files are missing`);
      return;
    }
    const { length } = this.#ledger.danglingOutbox();
    if (length === 0) return;
    this.#problem(
      first,
      0,
      `the journal refers to ${length} messages in the outbox without their body: older files are missing`,
    );
  }

  #problem(file: JournalFile, offset: number, reason: string): void {
    this.#problems.push({ file: name(file), offset, reason });
    this.#damaged.add(name(file));
    this.#gapExplained = true;
  }
}

function journalFiles(directory: string): JournalFile[] {
  return readdirSync(directory)
    .filter(isJournalName)
    .map((entry) => ({ number: Number.parseInt(entry, 10), path: join(directory, entry), size: 0 }))
    .sort((a, b) => a.number - b.number);
}

function syncedIn(file: JournalFile, offset: number): number {
  const fd = openSync(file.path, "r");
  try {
    const reader = new JournalFrameReader(fd, fstatSync(fd).size);
    reader.offset = offset;
    let synced = 0;
    while (reader.resync()) {
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        if (!("payload" in frame)) break;
        synced = Math.max(synced, frame.synced);
      }
    }
    return synced;
  } finally {
    closeSync(fd);
  }
}

function holdsFrames(file: JournalFile): boolean {
  const fd = openSync(file.path, "r");
  try {
    const reader = new JournalFrameReader(fd, fstatSync(fd).size);
    reader.offset = HEAD_BYTES - 1;
    return reader.resync();
  } finally {
    closeSync(fd);
  }
}

function tearAt(file: JournalFile, offset: number, reason: string, incomplete: boolean): Tear {
  return { file: name(file), offset, reason, bytes: file.size - offset, incomplete };
}

function name(file: JournalFile): string {
  return file.path.slice(Math.max(file.path.lastIndexOf("/"), file.path.lastIndexOf("\\")) + 1);
}
