// The durable store: writes batches to the journal and answers reads from the ledger. opening.ts opens it, cleaner.ts
// frees space.
import type { QueueEntry, SessionSnapshot, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import {
  type OriginRecord,
  type OutboxMessage,
  type QueuedMessage,
  type RetainedStamp,
  type Store,
  StoreError,
  type StoreOp,
  type StoreStats,
} from "@wrenmq/store";
import { BatchEncoder, STATES } from "./index/batch-encoder.ts";
import type { EntryTable } from "./index/entry-table.ts";
import type { Ledger, SessionFacts } from "./index/ledger.ts";
import { QOS2, RETAIN } from "./journal/entry-flags.ts";
import { beginFrame, FRAME_HEAD_BYTES } from "./journal/format.ts";
import { type Appended, isFull, type Journal, noRoom } from "./journal/journal.ts";
import type { Place } from "./journal/place.ts";
import { DamagedError, RecordReader } from "./journal/record-reader.ts";
import { RecordWriter } from "./journal/record-writer.ts";
import { ownMessage, readMessage } from "./journal/records.ts";
import { Cleaner } from "./maintenance/cleaner.ts";
import { DEFAULT_SEGMENT_BYTES, type FileStoreOptions } from "./options.ts";
import type { StoreLock } from "./recovery/lock.ts";
import { openDirectory } from "./recovery/opening.ts";
import { Replay } from "./recovery/replay.ts";

/** The parts that exist while the store is open. */
interface Opened {
  readonly lock: StoreLock;
  readonly ledger: Ledger;
  readonly journal: Journal;
  readonly encoder: BatchEncoder;
  readonly cleaner: Cleaner;
}

/** Bodies that are close to each other are read together, up to this many bytes and over gaps of this many. */
const READ_AT_ONCE = 256 * 1024;
const READ_GAP = 2048;
const RETAINED_AT_ONCE = 500;

/** Operations that free space and never need a body: accepted when the store is full. */
const RELEASING: ReadonlySet<StoreOp["op"]> = new Set([
  "deleteSession",
  "deleteSubscription",
  "advance",
  "settle",
  "release",
  "deleteRetained",
  "settleOutbox",
  "deleteOrigin",
]);

/** Sessions and retained messages in a journal of plain files. */
export class FileStore implements Store {
  readonly #options: FileStoreOptions;
  readonly #segmentBytes: number;
  readonly #writer = new RecordWriter();
  #opened: Opened | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: FileStoreOptions) {
    this.#options = options;
    const wanted = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
    this.#segmentBytes = Math.max(256, Math.min(wanted, (options.maxBytes ?? Number.POSITIVE_INFINITY) / 8));
  }

  /** @throws StoreError ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_OPEN */
  open(): void {
    if (this.#opened !== undefined) return;
    const { lock, ledger, journal } = openDirectory(this.#options, this.#segmentBytes, this.#writer);
    const cleaner = new Cleaner({
      ledger,
      journal,
      writer: this.#writer,
      segmentBytes: this.#segmentBytes,
      maxBytes: this.#options.maxBytes,
      onTrouble: (error) => this.#options.onNotice?.({ notice: "notCleaned", error }),
    });
    this.#opened = { lock, ledger, journal, encoder: new BatchEncoder(ledger), cleaner };
    cleaner.schedule();
  }

  close(): Promise<void> {
    const opened = this.#opened;
    if (opened === undefined) return this.#closing ?? Promise.resolve();
    this.#opened = undefined;
    this.#closing = this.#shut(opened).finally(() => {
      this.#closing = undefined;
    });
    return this.#closing;
  }

  *sessions(): IterableIterator<SessionSnapshot> {
    for (const facts of this.#need().ledger.sessions.values()) yield snapshot(facts);
  }

  *retained(): IterableIterator<StoredMessage> {
    const { ledger, journal } = this.#need();
    // In the order of the files: a million of them need a few thousand reads.
    const places = [...ledger.retained.values()].sort((a, b) => a.file - b.file || a.offset - b.offset);
    for (let i = 0; i < places.length; i += RETAINED_AT_ONCE) {
      const messages: StoredMessage[] = [];
      readTogether(journal, places.slice(i, i + RETAINED_AT_ONCE), (body) => messages.push(ownMessage(decode(body))));
      yield* messages;
    }
  }

  *retainedStamps(): IterableIterator<RetainedStamp> {
    const { ledger } = this.#need();
    for (const [topic, { setAt }] of ledger.retained) if (setAt > 0) yield { topic, setAt, isSet: true };
    for (const [topic, { value }] of ledger.cleared) yield { topic, setAt: value, isSet: false };
  }

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    const { ledger, journal } = this.#need();
    const entries = ledger.sessions.get(clientId)?.entries;
    const page: QueuedMessage[] = [];
    if (entries === undefined || limit <= 0) return page;
    const found: QueueEntry[] = [];
    const places: Place[] = [];
    for (let at = entries.first(after); at >= 0 && found.length < limit; at = entries.next(at)) {
      if (entries.state(at) !== 0) continue;
      const place = placeOf(ledger, entries.message(at));
      if (place === undefined) continue;
      found.push(entryAt(entries, at));
      places.push(place);
    }
    readTogether(journal, places, (body, i) => page.push({ entry: found[i]!, message: decode(body) }));
    return page;
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    const { ledger, journal } = this.#need();
    const entries = ledger.sessions.get(clientId)?.entries;
    const at = entries?.find(seq) ?? -1;
    if (entries === undefined || at < 0 || STATES[entries.state(at)] === "awaitPubcomp") return undefined;
    const place = placeOf(ledger, entries.message(at));
    return place === undefined ? undefined : decode(journal.read(place));
  }

  *outbox(): IterableIterator<OutboxMessage> {
    const { ledger, journal } = this.#need();
    const numbers = [...ledger.outboxEntries.keys()].sort((a, b) => a - b);
    for (const number of numbers) {
      const entry = ledger.outboxEntries.get(number)?.value;
      const place = entry && placeOf(ledger, entry.messageId);
      if (entry !== undefined && place !== undefined) yield { entry, message: decode(journal.read(place)) };
    }
  }

  *origins(): IterableIterator<OriginRecord> {
    for (const { value } of this.#need().ledger.origins.values()) yield value;
  }

  identity(): string | undefined {
    return this.#need().ledger.storeIdentity?.value;
  }

  /** @throws StoreError ERR_STORE_FULL, ERR_STORE_WRITE, ERR_STORE_CLOSED */
  apply(batch: readonly StoreOp[]): undefined | Promise<void> {
    const { journal } = this.#need();
    if (journal.failure !== undefined) throw journal.failure;
    this.#encode(batch);
    if (this.#writer.length > FRAME_HEAD_BYTES) this.#write(batch);
    return this.#options.durability === "fsync" ? journal.sync() : undefined;
  }

  #encode(batch: readonly StoreOp[]): void {
    beginFrame(this.#writer);
    try {
      this.#need().encoder.encode(batch, this.#writer);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new StoreError("ERR_STORE_WRITE", `the batch is not storable: ${error.message}`, { cause: error });
    }
  }

  #write(batch: readonly StoreOp[]): void {
    const { ledger, cleaner } = this.#need();
    const writer = this.#writer;
    // A client that reconnects for its queue frees space too.
    const isRecord = (op: StoreOp): boolean => op.op === "putSession" && ledger.sessions.has(op.record.clientId);
    const releasing = batch.every((op) => RELEASING.has(op.op) || isRecord(op));
    if (!cleaner.hasRoom(writer.length, releasing)) {
      cleaner.makeRoom(writer.length);
      // Cleaning has used the writer.
      this.#encode(batch);
      if (!cleaner.hasRoom(writer.length, releasing)) {
        throw new StoreError("ERR_STORE_FULL", `the store has reached its limit of ${this.#options.maxBytes} bytes`);
      }
    }
    const { file, payload, payloadOffset } = this.#append(releasing);
    ledger.read(file, payload, payloadOffset);
    cleaner.schedule();
  }

  #append(releasing: boolean): Appended {
    const { journal, cleaner } = this.#need();
    try {
      // The reserve was released for operations that free space: others must not use it.
      if (!releasing && journal.needsReserve) throw noRoom();
      return journal.append(this.#writer);
    } catch (error) {
      if (!isFull(error)) throw error;
      cleaner.press();
      if (!releasing || !journal.releaseReserve()) throw error;
      return journal.append(this.#writer);
    }
  }

  stats(): StoreStats {
    const { ledger, journal } = this.#need();
    return {
      sessions: ledger.sessions.size,
      messages: ledger.messages.size,
      retained: ledger.retained.size,
      outbox: ledger.outboxEntries.size,
      bytes: journal.bytes,
      lastMessageId: ledger.messages.highest,
    };
  }

  /** For the journal of another store, into this one: it was opened empty, and has applied nothing yet. */
  replay(): Replay {
    const { ledger, journal } = this.#need();
    return new Replay(ledger, journal, this.#writer);
  }

  /** Writes everything that is needed to new files and removes the others. */
  async compact(): Promise<void> {
    const { cleaner } = this.#need();
    await cleaner.rewrite();
  }

  #need(): Opened {
    if (this.#opened === undefined) {
      throw new StoreError("ERR_STORE_CLOSED", `the store ${this.#options.path} is not open`);
    }
    return this.#opened;
  }

  async #shut({ lock, journal, cleaner }: Opened): Promise<void> {
    cleaner.stop();
    try {
      await journal.close();
    } finally {
      lock.release();
    }
  }
}

/** @throws StoreError ERR_STORE_DAMAGED: the file was changed while it was in use */
function decode(body: Buffer): StoredMessage {
  try {
    return readMessage(new RecordReader(body));
  } catch (error) {
    if (!(error instanceof DamagedError)) throw error;
    throw new StoreError("ERR_STORE_DAMAGED", `a message cannot be read back: ${error.message}`, { cause: error });
  }
}

export function placeOf(ledger: Ledger, messageId: number): Place | undefined {
  const { messages } = ledger;
  const slot = messages.find(messageId);
  if (slot < 0 || messages.file(slot) === 0) return undefined;
  return { file: messages.file(slot), offset: messages.offset(slot), length: messages.length(slot) };
}

/** Reads bodies in the order given, neighbours together. */
function readTogether(journal: Journal, places: readonly Place[], each: (body: Buffer, index: number) => void): void {
  for (let i = 0; i < places.length; ) {
    const { file, offset } = places[i]!;
    let end = i + 1;
    let until = offset + places[i]!.length;
    for (; end < places.length; end++) {
      const next = places[end]!;
      const nextUntil = next.offset + next.length;
      const gap = next.offset - until;
      if (next.file !== file || gap < 0 || gap > READ_GAP || nextUntil - offset > READ_AT_ONCE) break;
      until = nextUntil;
    }
    const bytes = journal.read({ file, offset, length: until - offset });
    for (; i < end; i++) {
      const start = places[i]!.offset - offset;
      each(bytes.subarray(start, start + places[i]!.length), i);
    }
  }
}

export function entryAt(entries: EntryTable, at: number): QueueEntry {
  const flags = entries.plainFlags(at);
  return {
    seq: entries.seq(at),
    messageId: entries.message(at),
    qos: flags & QOS2 ? 2 : 1,
    retain: (flags & RETAIN) !== 0,
    subscriptionIdentifiers: entries.identifiers(at),
    state: STATES[entries.state(at)] ?? "queued",
    packetId: entries.packetId(at),
  };
}

function snapshot({ record, subscriptions, entries, inbound }: SessionFacts): SessionSnapshot {
  const inflight: QueueEntry[] = [];
  let queued = 0;
  let firstSeq = 0;
  let lastSeq = 0;
  for (let at = entries?.first(-1) ?? -1; entries !== undefined && at >= 0; at = entries.next(at)) {
    lastSeq = entries.seq(at);
    if (firstSeq === 0) firstSeq = lastSeq;
    if (entries.state(at) === 0) queued++;
    else inflight.push(entryAt(entries, at));
  }
  const granted = new Map<string, SubscriptionRecord>();
  for (const [filter, { value }] of subscriptions) granted.set(filter, value);
  return {
    // The map has only sessions with a record.
    record: record!.value,
    subscriptions: granted,
    inflight,
    queued,
    firstSeq,
    lastSeq,
    inboundPacketIds: [...inbound.keys()],
  };
}
