// What the journal adds up to, in RAM: every fact that holds and the file that holds it. Bodies of messages stay on disk,
// here is only where they lie. The ledger is made by reading the journal and by nothing else: a running store reads the
// frame it has just written, so what it knows is what it will know after a restart.
import type { SessionRecord, SubscriptionRecord } from "@wrenmq/protocol";
import { AWAIT_PUBCOMP, STATE_MASK, STATE_SHIFT } from "../journal/entry-flags.ts";
import { type OpVisitor, readOps } from "../journal/ops.ts";
import type { Place } from "../journal/place.ts";
import { RecordReader } from "../journal/record-reader.ts";
import { readMessageTopic } from "../journal/records.ts";
import { EntryTable } from "./entry-table.ts";
import { MessageTable } from "./message-table.ts";

/** A fact, the file that holds it, and its size there. */
export interface Fact<T> {
  readonly value: T;
  readonly home: number;
  readonly size: number;
}

/** How many facts that hold are in a file. */
interface Tally {
  readonly file: number;
  facts: number;
}

export interface SessionFacts {
  readonly handle: number;
  /** Undefined while reading a journal whose oldest files are gone: the record was moved and comes later. */
  record: Fact<SessionRecord> | undefined;
  readonly subscriptions: Map<string, Fact<SubscriptionRecord>>;
  readonly inbound: Map<number, number>;
  entries: EntryTable | undefined;
}

/**
 * What an entry, one of its identifiers, a body's head and a held identifier take on disk: nearly always at most, so that
 * a full store is not cleaned for room that is not there, and little less, so that room is given back.
 */
const ENTRY_BYTES = 16;
const IDENTIFIER_BYTES = 4;
const BODY_BYTES = 13;
const HOLD_BYTES = 6;

export class Ledger implements OpVisitor {
  readonly sessions: Map<string, SessionFacts> = new Map();
  readonly byHandle: Map<number, SessionFacts> = new Map();
  readonly messages: MessageTable = new MessageTable();
  readonly retained: Map<string, Place> = new Map();
  highestHandle = 0;
  /** Bytes that facts that hold take on disk, about. */
  liveBytes = 0;

  readonly #tallies = new Map<number, Tally>();
  /** Of the file asked for last: most facts that come and go are in the last files. */
  #tally: Tally = { file: 0, facts: 0 };
  /** The session that the last fact was about: the next one often is about it too. */
  #last: SessionFacts | undefined;
  #buffer: Buffer = Buffer.alloc(0);
  #file = 0;
  /** From a position in the frame's buffer to one in the file. */
  #shift = 0;
  /** Messages that nobody needed at some point of this frame. They go at its end, unless they are needed again. */
  #orphans: number[] = [];

  /** Takes in one frame. @throws DamagedError */
  read(file: number, payload: Buffer, payloadOffset: number): void {
    this.#buffer = payload;
    this.#file = file;
    this.#shift = payloadOffset;
    readOps(new RecordReader(payload), this);
    for (const id of this.#orphans) this.#collect(id);
    this.#orphans.length = 0;
  }

  /** How many facts that hold are in a file. */
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
    // Needed first and given up after: a replaced entry with the same message must not lose it.
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
      // There is no way back: the message is gone.
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

  retain(bodyStart: number, bodyLength: number): void {
    const topic = readMessageTopic(new RecordReader(this.#buffer, bodyStart, bodyStart + bodyLength));
    this.unretain(topic);
    this.retained.set(topic, { file: this.#file, offset: bodyStart + this.#shift, length: bodyLength });
    this.#gain(this.#file, bodyLength + BODY_BYTES);
  }

  unretain(topic: string): void {
    const place = this.retained.get(topic);
    if (place === undefined) return;
    this.retained.delete(topic);
    this.#lose(place.file, place.length + BODY_BYTES);
  }

  body(messageId: number, bodyStart: number, bodyLength: number): void {
    const slot = this.messages.find(messageId);
    if (slot >= 0) this.#moveBody(slot, bodyStart, bodyLength);
  }

  /** Whether this is the place of the retained message that holds for its topic. */
  retains(message: Buffer, file: number, offset: number): boolean {
    const place = this.retained.get(readMessageTopic(new RecordReader(message)));
    return place !== undefined && place.file === file && place.offset === offset;
  }

  /** What must not be in a journal that is complete: sessions without record and entries without message. */
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

/** What an entry takes on disk, with its subscription identifiers. */
function sizeOf(identifiers: readonly number[] | undefined): number {
  return ENTRY_BYTES + IDENTIFIER_BYTES * (identifiers?.length ?? 0);
}
