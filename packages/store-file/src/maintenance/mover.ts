// Moves what is needed out of files that will be removed: writes it again at the end of the journal. Only the oldest
// file is ever removed, so whatever it removes is in itself or in files that are gone already: removals need not be
// moved.
import type { OriginRecord, OutboxEntry } from "@wrenmq/store";
import { originKey } from "@wrenmq/store";
import type { Fact, Ledger, SessionFacts } from "../index/ledger.ts";
import { AWAIT_PUBCOMP } from "../journal/entry-flags.ts";
import {
  type OpVisitor,
  readOps,
  writeBodyOp,
  writeClearOp,
  writeEnqueueOp,
  writeHoldOp,
  writeIdentityOp,
  writeOriginOp,
  writeOutboxOp,
  writeRetainOp,
  writeSessionOp,
  writeSubscribeOp,
} from "../journal/ops.ts";
import type { Place } from "../journal/place.ts";
import { RecordReader } from "../journal/record-reader.ts";
import type { RecordWriter } from "../journal/record-writer.ts";

/** Reads frames of the file that will be removed and writes to the frame that is being built. */
export class Mover implements OpVisitor {
  readonly #ledger: Ledger;
  readonly #to: RecordWriter;
  /** What this step has written: the ledger is updated when the step is written. */
  readonly #moved = new Set<Fact<unknown> | number>();
  #file = 0;
  #payload: Buffer = Buffer.alloc(0);
  #shift = 0;

  constructor(ledger: Ledger, to: RecordWriter) {
    this.#ledger = ledger;
    this.#to = to;
  }

  beginStep(): void {
    this.#moved.clear();
  }

  /** @throws DamagedError */
  move(file: number, payload: Buffer, payloadOffset: number): void {
    this.#file = file;
    this.#payload = payload;
    this.#shift = payloadOffset;
    readOps(new RecordReader(payload), this);
  }

  session(handle: number): void {
    const record = this.#ledger.byHandle.get(handle)?.record;
    if (record === undefined || !this.#leaves(record)) return;
    writeSessionOp(this.#to, handle, record.value);
  }

  subscribe(handle: number, filter: string): void {
    const fact = this.#ledger.byHandle.get(handle)?.subscriptions.get(filter);
    if (fact === undefined || !this.#leaves(fact)) return;
    writeSubscribeOp(this.#to, handle, filter, fact.value);
  }

  enqueue(
    handle: number,
    seq: number,
    messageId: number,
    _flags: number,
    _packetId: number,
    _identifiers: readonly number[] | undefined,
    bodyStart: number,
    bodyLength: number,
  ): void {
    const entries = this.#ledger.byHandle.get(handle)?.entries;
    const at = entries?.find(seq) ?? -1;
    if (entries !== undefined && at >= 0 && entries.home(at) === this.#file) writeEntry(this.#to, handle, entries, at);
    if (bodyStart >= 0) this.body(messageId, bodyStart, bodyLength);
  }

  hold(handle: number, packetId: number): void {
    const key = handle * 0x10000 + packetId;
    if (this.#ledger.byHandle.get(handle)?.inbound.get(packetId) !== this.#file || this.#moved.has(key)) return;
    this.#moved.add(key);
    writeHoldOp(this.#to, handle, packetId);
  }

  retain(bodyStart: number, bodyLength: number, setAt: number): void {
    const range = this.#payload.subarray(bodyStart, bodyStart + bodyLength);
    if (!this.#ledger.retains(range, this.#file, bodyStart + this.#shift)) return;
    writeRetainOp(this.#to, setAt);
    writeBlock(this.#to, range);
  }

  body(messageId: number, bodyStart: number, bodyLength: number): void {
    const { messages } = this.#ledger;
    const slot = messages.find(messageId);
    if (slot < 0 || messages.file(slot) !== this.#file || messages.offset(slot) !== bodyStart + this.#shift) return;
    writeBodyOp(this.#to, messageId);
    writeBlock(this.#to, this.#payload.subarray(bodyStart, bodyStart + bodyLength));
  }

  clear(topic: string): void {
    const fact = this.#ledger.cleared.get(topic);
    if (fact !== undefined && this.#leaves(fact)) writeClearOp(this.#to, topic, fact.value);
  }

  outbox({ number, messageId }: OutboxEntry, _size: number, bodyStart: number, bodyLength: number): void {
    const fact = this.#ledger.outboxEntries.get(number);
    if (fact !== undefined && this.#leaves(fact)) writeOutboxOp(this.#to, fact.value, false);
    if (bodyStart >= 0) this.body(messageId, bodyStart, bodyLength);
  }

  origin(origin: OriginRecord): void {
    const fact = this.#ledger.origins.get(originKey(origin));
    if (fact !== undefined && this.#leaves(fact)) writeOriginOp(this.#to, fact.value);
  }

  identity(): void {
    const fact = this.#ledger.storeIdentity;
    if (fact !== undefined && this.#leaves(fact)) writeIdentityOp(this.#to, fact.value);
  }

  settleOutbox(): void {}
  dropOrigin(): void {}
  dropSession(): void {}
  unsubscribe(): void {}
  advance(): void {}
  settle(): void {}
  release(): void {}
  unretain(): void {}

  #leaves(fact: Fact<unknown>): boolean {
    if (fact.home !== this.#file || this.#moved.has(fact)) return false;
    this.#moved.add(fact);
    return true;
  }
}

/**
 * Writes everything that is needed and lies before the file `before`, whatever the files say: for a complete compaction
 * and for a damaged journal. `flush` is called after each fact and returns whether it has written the frame.
 */
export function moveAll(
  ledger: Ledger,
  before: number,
  to: RecordWriter,
  read: (place: Place) => Buffer,
  flush: () => boolean,
): void {
  const written = new Set<number>();
  if (ledger.storeIdentity !== undefined) writeIdentityOp(to, ledger.storeIdentity.value);
  for (const { value } of ledger.origins.values()) writeOriginOp(to, value);
  flush();
  for (const [topic, { value }] of [...ledger.cleared]) {
    writeClearOp(to, topic, value);
    flush();
  }
  for (const facts of [...ledger.byHandle.values()]) {
    if (facts.record === undefined) continue;
    writeSessionOp(to, facts.handle, facts.record.value);
    for (const [filter, { value }] of facts.subscriptions) writeSubscribeOp(to, facts.handle, filter, value);
    for (const packetId of facts.inbound.keys()) writeHoldOp(to, facts.handle, packetId);
    if (flush()) written.clear();
    moveEntries(ledger, facts, before, to, read, flush, written);
  }
  for (const { value } of [...ledger.outboxEntries.values()]) {
    writeOutboxOp(to, value, false);
    moveBody(ledger, value.messageId, before, to, read, written);
    if (flush()) written.clear();
  }
  for (const place of [...ledger.retained.values()]) {
    if (place.file >= before) continue;
    writeRetainOp(to, place.setAt);
    writeBlock(to, read(place));
    flush();
  }
}

function moveEntries(
  ledger: Ledger,
  facts: SessionFacts,
  before: number,
  to: RecordWriter,
  read: (place: Place) => Buffer,
  flush: () => boolean,
  written: Set<number>,
): void {
  const { entries } = facts;
  if (entries === undefined) return;
  // By number, not by position: writing a frame changes the columns.
  for (let at = entries.first(-1); at >= 0; ) {
    const seq = entries.seq(at);
    writeEntry(to, facts.handle, entries, at);
    if (entries.state(at) !== AWAIT_PUBCOMP) moveBody(ledger, entries.message(at), before, to, read, written);
    if (flush()) written.clear();
    at = entries.first(seq);
  }
}

/** @param written messages whose body is in the frame */
function moveBody(
  { messages }: Ledger,
  messageId: number,
  before: number,
  to: RecordWriter,
  read: (place: Place) => Buffer,
  written: Set<number>,
): void {
  const slot = messages.find(messageId);
  if (slot < 0 || messages.file(slot) >= before || written.has(messageId)) return;
  written.add(messageId);
  writeBodyOp(to, messageId);
  writeBlock(to, read({ file: messages.file(slot), offset: messages.offset(slot), length: messages.length(slot) }));
}

function writeEntry(to: RecordWriter, handle: number, entries: NonNullable<SessionFacts["entries"]>, at: number): void {
  // The writer sets the bits for what follows the flags.
  writeEnqueueOp(
    to,
    handle,
    entries.seq(at),
    entries.message(at),
    entries.plainFlags(at),
    entries.packetId(at),
    entries.identifiers(at),
  );
}

function writeBlock(to: RecordWriter, bytes: Uint8Array): void {
  const start = to.beginBlock();
  to.raw(bytes);
  to.endBlock(start);
}
