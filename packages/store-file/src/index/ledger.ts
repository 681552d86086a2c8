// The contents of the journal in memory: every fact that is needed, and the file that has it. Of message bodies it has
// only the positions. The ledger is built by reading the journal and in no other way: a running store reads each frame
// that it has written, so its state is the same as after a restart.
import type { SessionRecord, SubscriptionRecord } from "@wrenmq/protocol";
import { type OriginRecord, type OutboxEntry, originKey } from "@wrenmq/store";
import { AWAIT_PUBCOMP, STATE_MASK, STATE_SHIFT } from "../journal/entry-flags.ts";
import { type OpVisitor, readOps } from "../journal/ops.ts";
import type { Place } from "../journal/place.ts";
import { RecordReader } from "../journal/record-reader.ts";
import { readMessageTopic } from "../journal/records.ts";
import { EntryTable } from "./entry-table.ts";
import { MessageTable } from "./message-table.ts";

/** A fact, the file that has it, and its size there. */
export interface Fact<T> {
  readonly value: T;
  readonly home: number;
  readonly size: number;
}

export interface RetainedPlace extends Place {
  /** 0: unknown. */
  readonly setAt: number;
}

/** The number of needed facts in a file. */
interface Tally {
  readonly file: number;
  facts: number;
}

export interface SessionFacts {
  readonly handle: number;
  /** Undefined while a journal is read whose oldest files are gone: the record was moved and comes later. */
  record: Fact<SessionRecord> | undefined;
  readonly subscriptions: Map<string, Fact<SubscriptionRecord>>;
  readonly inbound: Map<number, number>;
  entries: EntryTable | undefined;
}

/**
 * Bytes on disk of an entry, of one of its identifiers, of a body's header and of a held identifier. Nearly always
 * upper bounds, so that a full store is not cleaned for space that is not there, and close ones, so that space is
 * freed.
 */
const ENTRY_BYTES = 16;
const IDENTIFIER_BYTES = 4;
const BODY_BYTES = 13;
const HOLD_BYTES = 6;

export class Ledger implements OpVisitor {
  readonly sessions: Map<string, SessionFacts> = new Map();
  readonly byHandle: Map<number, SessionFacts> = new Map();
  readonly messages: MessageTable = new MessageTable();
  readonly retained: Map<string, RetainedPlace> = new Map();
  /** When topics were cleared, as long as that matters. */
  readonly cleared: Map<string, Fact<number>> = new Map();
  readonly outboxEntries: Map<number, Fact<OutboxEntry>> = new Map();
  readonly origins: Map<string, Fact<OriginRecord>> = new Map();
  storeIdentity: Fact<string> | undefined;
  highestHandle = 0;
  /** Bytes on disk of all needed facts, approximately. */
  liveBytes = 0;

  readonly #tallies = new Map<number, Tally>();
  /** Of the file that was used last: most facts are added to and removed from the last files. */
  #tally: Tally = { file: 0, facts: 0 };
  /** The session of the last fact: the next one is often about the same. */
  #last: SessionFacts | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #file = 0;
  /** Distance from a position in the frame's buffer to the position in the file. */
  #shift = 0;
  /**
   * Messages without references at some point of this frame. They are removed at its end, unless they are referred to
   * again.
   */
  #orphans: number[] = [];

  /**
   * Reads one frame.
   * @throws DamagedError
   */
  read(file: number, payload: Buffer, payloadOffset: number): void {
    this.#buffer = payload;
    this.#file = file;
    this.#shift = payloadOffset;
    readOps(new RecordReader(payload), this);
    for (const id of this.#orphans) this.#collect(id);
    this.#orphans.length = 0;
  }

  /** The number of needed facts in a file. */
  liveFacts(file: number): number {
    return this.#tallies.get(file)?.facts ?? 0;
  }

  forget(file: number): void {
    this.#tallies.delete(file);
    if (this.#tally.file === file) this.#tally = { file: 0, facts: 0 };
  }

  session(handle: number, record: SessionRecord, size: number): void {
    const facts = this.#facts(handle);
    if (facts.record !== undefined) this.#lose(facts.record.home, facts.record.size);
    facts.record = { value: record, home: this.#file, size };
    this.#gain(this.#file, size);
    this.sessions.set(record.clientId, facts);
  }

  dropSession(handle: number): void {
    const facts = this.byHandle.get(handle);
    if (handle > this.highestHandle) this.highestHandle = handle;
    if (facts === undefined) return;
    this.byHandle.delete(handle);
    this.#last = undefined;
    if (facts.record !== undefined) {
      const { clientId } = facts.record.value;
      if (this.sessions.get(clientId) === facts) this.sessions.delete(clientId);
      this.#lose(facts.record.home, facts.record.size);
    }
    for (const { home, size } of facts.subscriptions.values()) this.#lose(home, size);
    for (const home of facts.inbound.values()) this.#lose(home, HOLD_BYTES);
    const { entries } = facts;
    if (entries === undefined) return;
    for (let at = entries.first(-1); at >= 0; at = entries.next(at)) {
      this.#lose(entries.home(at), sizeOf(entries.identifiers(at)));
      if (entries.state(at) !== AWAIT_PUBCOMP) this.#unneed(entries.message(at));
    }
  }

  subscribe(handle: number, filter: string, subscription: SubscriptionRecord, size: number): void {
    const { subscriptions } = this.#facts(handle);
    const known = subscriptions.get(filter);
    if (known !== undefined) this.#lose(known.home, known.size);
    subscriptions.set(filter, { value: subscription, home: this.#file, size });
    this.#gain(this.#file, size);
  }

  unsubscribe(handle: number, filter: string): void {
    const subscriptions = this.byHandle.get(handle)?.subscriptions;
    const known = subscriptions?.get(filter);
    if (known === undefined) return;
    subscriptions?.delete(filter);
    this.#lose(known.home, known.size);
  }

  enqueue(
    handle: number,
    seq: number,
    messageId: number,
    flags: number,
    packetId: number,
    identifiers: readonly number[] | undefined,
    bodyStart: number,
    bodyLength: number,
  ): void {
    const facts = this.#facts(handle);
    facts.entries ??= new EntryTable();
    const { entries } = facts;
    // The reference is added before the old one is dropped: a replaced entry with the same message must not lose it.
    if ((flags & STATE_MASK) >> STATE_SHIFT !== AWAIT_PUBCOMP) {
      const slot = this.messages.add(messageId);
      this.messages.need(slot, 1);
      if (bodyStart >= 0) this.#moveBody(slot, bodyStart, bodyLength);
    }
    const replaced = entries.size === 0 ? -1 : entries.find(seq);
    if (replaced >= 0) this.#remove(entries, replaced);
    entries.insert(seq, messageId, this.#file, packetId, flags, identifiers);
    this.#gain(this.#file, sizeOf(identifiers));
  }

  advance(handle: number, seq: number, packetId: number, state: number): void {
    const entries = this.#find(handle)?.entries;
    const at = entries?.find(seq) ?? -1;
    if (entries === undefined || at < 0) return;
    if (entries.state(at) === AWAIT_PUBCOMP) {
      // This state cannot be left: the message is gone.
      if (state !== AWAIT_PUBCOMP) return;
    } else if (state === AWAIT_PUBCOMP) this.#unneed(entries.message(at));
    entries.advance(at, packetId, state);
  }

  settle(handle: number, seq: number): void {
    const entries = this.#find(handle)?.entries;
    const at = entries?.find(seq) ?? -1;
    if (entries !== undefined && at >= 0) this.#remove(entries, at);
  }

  hold(handle: number, packetId: number): void {
    const { inbound } = this.#facts(handle);
    const home = inbound.get(packetId);
    if (home !== undefined) this.#lose(home, HOLD_BYTES);
    inbound.set(packetId, this.#file);
    this.#gain(this.#file, HOLD_BYTES);
  }

  release(handle: number, packetId: number): void {
    const inbound = this.byHandle.get(handle)?.inbound;
    const home = inbound?.get(packetId);
    if (home === undefined) return;
    inbound?.delete(packetId);
    this.#lose(home, HOLD_BYTES);
  }

  retain(bodyStart: number, bodyLength: number, setAt: number): void {
    const topic = readMessageTopic(new RecordReader(this.#buffer, bodyStart, bodyStart + bodyLength));
    this.unretain(topic);
    this.retained.set(topic, { file: this.#file, offset: bodyStart + this.#shift, length: bodyLength, setAt });
    this.#gain(this.#file, bodyLength + BODY_BYTES);
  }

  clear(topic: string, setAt: number, size: number): void {
    this.unretain(topic);
    this.cleared.set(topic, { value: setAt, home: this.#file, size });
    this.#gain(this.#file, size);
  }

  unretain(topic: string): void {
    const cleared = this.cleared.get(topic);
    if (cleared !== undefined && this.cleared.delete(topic)) this.#lose(cleared.home, cleared.size);
    const place = this.retained.get(topic);
    if (place === undefined) return;
    this.retained.delete(topic);
    this.#lose(place.file, place.length + BODY_BYTES);
  }

  body(messageId: number, bodyStart: number, bodyLength: number): void {
    const slot = this.messages.find(messageId);
    if (slot >= 0) this.#moveBody(slot, bodyStart, bodyLength);
  }

  outbox(entry: OutboxEntry, size: number, bodyStart: number, bodyLength: number): void {
    const slot = this.messages.add(entry.messageId);
    this.messages.need(slot, 1);
    if (bodyStart >= 0) this.#moveBody(slot, bodyStart, bodyLength);
    this.settleOutbox(entry.number);
    this.outboxEntries.set(entry.number, { value: entry, home: this.#file, size });
    this.#gain(this.#file, size);
  }

  settleOutbox(number: number): void {
    const known = this.outboxEntries.get(number);
    if (known === undefined) return;
    this.outboxEntries.delete(number);
    this.#lose(known.home, known.size);
    this.#unneed(known.value.messageId);
  }

  origin(origin: OriginRecord, size: number): void {
    this.dropOrigin(origin.store, origin.run);
    this.origins.set(originKey(origin), { value: origin, home: this.#file, size });
    this.#gain(this.#file, size);
  }

  dropOrigin(store: string, run: number): void {
    const key = originKey({ store, run });
    const known = this.origins.get(key);
    if (known === undefined) return;
    this.origins.delete(key);
    this.#lose(known.home, known.size);
  }

  identity(identity: string, size: number): void {
    const known = this.storeIdentity;
    if (known !== undefined) this.#lose(known.home, known.size);
    this.storeIdentity = { value: identity, home: this.#file, size };
    this.#gain(this.#file, size);
  }

  /** Is this the position of the topic's present retained message? */
  retains(message: Buffer, file: number, offset: number): boolean {
    const place = this.retained.get(readMessageTopic(new RecordReader(message)));
    return place !== undefined && place.file === file && place.offset === offset;
  }

  /** What a complete journal cannot have: sessions without record and entries without message. */
  *dangling(): IterableIterator<{ handle: number; clientId: string | undefined; seqs: number[] }> {
    for (const facts of this.byHandle.values()) {
      const clientId = facts.record?.value.clientId;
      const seqs: number[] = [];
      const { entries } = facts;
      for (let at = entries?.first(-1) ?? -1; entries !== undefined && at >= 0; at = entries.next(at)) {
        if (entries.state(at) !== AWAIT_PUBCOMP && this.#bodyless(entries.message(at))) seqs.push(entries.seq(at));
      }
      if (clientId === undefined || seqs.length > 0) yield { handle: facts.handle, clientId, seqs };
    }
  }

  /** Entries of the outbox without message, which a complete journal cannot have. */
  danglingOutbox(): number[] {
    const entries = [...this.outboxEntries.values()];
    return entries.filter(({ value }) => this.#bodyless(value.messageId)).map(({ value }) => value.number);
  }

  #bodyless(messageId: number): boolean {
    const slot = this.messages.find(messageId);
    return slot < 0 || this.messages.file(slot) === 0;
  }

  #find(handle: number): SessionFacts | undefined {
    if (this.#last?.handle !== handle) this.#last = this.byHandle.get(handle);
    return this.#last;
  }

  #facts(handle: number): SessionFacts {
    let facts = this.#find(handle);
    if (facts === undefined) {
      facts = { handle, record: undefined, subscriptions: new Map(), inbound: new Map(), entries: undefined };
      this.byHandle.set(handle, facts);
      this.#last = facts;
      if (handle > this.highestHandle) this.highestHandle = handle;
    }
    return facts;
  }

  #remove(entries: EntryTable, at: number): void {
    this.#lose(entries.home(at), sizeOf(entries.identifiers(at)));
    if (entries.state(at) !== AWAIT_PUBCOMP) this.#unneed(entries.message(at));
    entries.remove(at);
  }

  #moveBody(slot: number, start: number, length: number): void {
    const home = this.messages.file(slot);
    if (home !== 0) this.#lose(home, this.messages.length(slot) + BODY_BYTES);
    this.messages.place(slot, this.#file, start + this.#shift, length);
    this.#gain(this.#file, length + BODY_BYTES);
  }

  #unneed(messageId: number): void {
    const slot = this.messages.find(messageId);
    if (slot >= 0 && this.messages.need(slot, -1) === 0) this.#orphans.push(messageId);
  }

  #collect(messageId: number): void {
    const slot = this.messages.find(messageId);
    if (slot < 0 || this.messages.need(slot, 0) !== 0) return;
    const home = this.messages.file(slot);
    if (home !== 0) this.#lose(home, this.messages.length(slot) + BODY_BYTES);
    this.messages.remove(slot);
  }

  #gain(file: number, bytes: number): void {
    this.liveBytes += bytes;
    this.#tallyOf(file).facts++;
  }

  #lose(file: number, bytes: number): void {
    this.liveBytes -= bytes;
    this.#tallyOf(file).facts--;
  }

  #tallyOf(file: number): Tally {
    if (this.#tally.file === file) return this.#tally;
    let tally = this.#tallies.get(file);
    if (tally === undefined) {
      tally = { file, facts: 0 };
      this.#tallies.set(file, tally);
    }
    this.#tally = tally;
    return tally;
  }
}

/** Bytes on disk of an entry with its subscription identifiers. */
function sizeOf(identifiers: readonly number[] | undefined): number {
  return ENTRY_BYTES + IDENTIFIER_BYTES * (identifiers?.length ?? 0);
}
