// How an owner takes over a stream: it appends its first message, after which whoever had it before is refused, and then
// reads everything that lies before into its journal. In this order it never has to race with an owner that is alive.
import { StoreError } from "@wrenmq/store";
import type { FileStore } from "@wrenmq/store-file";
import type { Purger } from "./mirror/purger.ts";
import type { Fence } from "./stream/fence.ts";
import type { Appended, JournalStream } from "./stream/journal-stream.ts";
import { epochMessage, framesOf, readMessage } from "./stream/message.ts";
import { ParcelReader } from "./stream/parcel-reader.ts";

export interface TakeoverParts {
  readonly stream: JournalStream;
  readonly fence: Fence;
  readonly owner: string;
}

/** Before the pause of an attempt that has failed. */
const ATTEMPTS = 100;

/** An error that no other attempt will mend. */
const isHopeless = (error: unknown): boolean => error instanceof StoreError;

/**
 * Appends the owner's first message. Then the fence knows its number.
 * @throws StoreError ERR_STORE_OPEN, ERR_STORE_FORMAT, ERR_STORE_DAMAGED; Stopped
 */
export async function seize({ stream, fence, owner }: TakeoverParts): Promise<void> {
  await fence.retry(async () => {
    await stream.create();
    return true;
  }, isHopeless);
  await fence.retry(async () => {
    await refuseForeign(stream);
    return true;
  }, isHopeless);
  fence.last = await fence.retry(() => begin(stream, owner), isHopeless);
}

/** @returns the number of the owner's first message; undefined: others have been faster each time */
async function begin(stream: JournalStream, owner: string): Promise<number | undefined> {
  let last: number | undefined;
  for (let attempts = 0; attempts < ATTEMPTS; attempts++) {
    last ??= (await stream.state()).last;
    // Another message for each attempt: should a former one come late, it is refused, or is there without consequence.
    const appended = await appendFirst(stream, epochMessage(owner), last);
    if ("sequence" in appended) return appended.sequence;
    // An owner that is alive is a step ahead of whoever asks for the last number instead.
    last = appended.refusedAfter;
  }
  return undefined;
}

async function appendFirst(stream: JournalStream, message: Uint8Array, after: number): Promise<Appended> {
  try {
    return await stream.append(message, after);
  } catch (error) {
    if (isHopeless(error)) throw error;
    const there = await stream.message(after + 1);
    if (there === undefined || Buffer.compare(there, message) !== 0) throw error;
    return { sequence: after + 1 };
  }
}

/** Before anything is changed: what this version cannot read it must not take over. */
async function refuseForeign(stream: JournalStream): Promise<void> {
  const { first, last } = await stream.state();
  const newest = last < first ? undefined : await stream.message(last);
  if (newest !== undefined) inStream(stream, last, () => readMessage(newest));
}

/**
 * Reads everything that lies before the owner's first message into the store, which is open and empty.
 * @param purger learns where the files of the journal begin in the stream
 * @throws StoreError ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_FULL, ERR_STORE_WRITE; Stopped
 */
export async function readBack(parts: TakeoverParts, file: FileStore, makePurger: () => Purger): Promise<Purger> {
  const until = parts.fence.last;
  for (;;) {
    const purger = makePurger();
    const reading = new Reading(parts.stream, file, purger);
    const isWhole = await parts.fence.retry(() => reading.readTo(until), isHopeless);
    if (isWhole) return purger;
    // What had been read cannot be trusted without what was removed behind it.
    await file.close();
    file.open();
  }
}

class Reading {
  readonly #stream: JournalStream;
  readonly #purger: Purger;
  readonly #replay: ReturnType<FileStore["replay"]>;
  readonly #parcels = new ParcelReader();
  #next: number | undefined;

  constructor(stream: JournalStream, file: FileStore, purger: Purger) {
    this.#stream = stream;
    this.#purger = purger;
    this.#replay = file.replay();
  }

  /** @returns false: the former owner has removed messages that come next, its last deed */
  async readTo(last: number): Promise<boolean> {
    const { first } = await this.#stream.state();
    this.#next ??= first;
    if (first > this.#next) return false;
    let isWhole = true;
    await this.#stream
      .read(this.#next, last, (sequence, message) => {
        if (sequence !== this.#next) {
          isWhole = false;
          throw new Error(`message ${this.#next} of stream ${this.#stream.name} is not there`);
        }
        inStream(this.#stream, sequence, () => this.#take(sequence, message));
        this.#next = sequence + 1;
      })
      .catch((error: unknown) => {
        if (isWhole) throw error;
      });
    if (isWhole) inStream(this.#stream, undefined, () => this.#replay.end());
    return isWhole;
  }

  #take(sequence: number, message: Uint8Array): void {
    const parcel = this.#parcels.take(sequence, message);
    if (parcel === undefined) return;
    for (const frame of framesOf(parcel.bytes)) this.#purger.begins(this.#replay.add(frame), parcel.sequence);
  }
}

/** Says which message of which stream an error is about. */
function inStream(stream: JournalStream, sequence: number | undefined, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof StoreError) || !["ERR_STORE_DAMAGED", "ERR_STORE_FORMAT"].includes(error.code)) throw error;
    const where = sequence === undefined ? "" : `message ${sequence}: `;
    throw new StoreError(error.code, `stream ${stream.name} cannot be read: ${where}${error.message}`, {
      cause: error,
    });
  }
}
