// The operations of the journal, as bytes. They differ from the operations of the store in two ways: a session is named
// by its handle (a number that is never used again), and a message's body is written only where it is needed first.
import type { SessionRecord, SubscriptionRecord } from "@wrenmq/protocol";
import type { OriginRecord, OutboxEntry } from "@wrenmq/store";
import { HAS_BODY, HAS_IDENTIFIERS, HAS_PACKET_ID } from "./entry-flags.ts";
import { readOrigin, readOutboxEntry, writeOrigin, writeOutboxEntry } from "./outbox-records.ts";
import { DamagedError, type RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";
import {
  readNumbers,
  readSession,
  readSubscription,
  writeNumbers,
  writeSession,
  writeSubscription,
} from "./records.ts";

const SESSION = 1;
const DROP_SESSION = 2;
const SUBSCRIBE = 3;
const UNSUBSCRIBE = 4;
const ENQUEUE = 5;
const ADVANCE = 6;
const SETTLE = 7;
const HOLD = 8;
const RELEASE = 9;
const RETAIN = 10;
const UNRETAIN = 11;
const BODY = 12;
const OUTBOX = 13;
const SETTLE_OUTBOX = 14;
const ORIGIN = 15;
const DROP_ORIGIN = 16;
const IDENTITY = 17;
const RETAIN_AT = 18;
const CLEAR = 19;

/** Reads the journal: one method for each operation. Bodies are ranges of the frame's buffer. */
export interface OpVisitor {
  session(handle: number, record: SessionRecord, size: number): void;
  dropSession(handle: number): void;
  subscribe(handle: number, filter: string, subscription: SubscriptionRecord, size: number): void;
  unsubscribe(handle: number, filter: string): void;
  /** `bodyStart` is −1 when the body is elsewhere in the journal. */
  enqueue(
    handle: number,
    seq: number,
    messageId: number,
    flags: number,
    packetId: number,
    identifiers: readonly number[] | undefined,
    bodyStart: number,
    bodyLength: number,
  ): void;
  advance(handle: number, seq: number, packetId: number, state: number): void;
  settle(handle: number, seq: number): void;
  hold(handle: number, packetId: number): void;
  release(handle: number, packetId: number): void;
  /** @param setAt 0: unknown */
  retain(bodyStart: number, bodyLength: number, setAt: number): void;
  clear(topic: string, setAt: number, size: number): void;
  unretain(topic: string): void;
  /** The body of a message whose entries stay, moved from a file that is being removed. */
  body(messageId: number, bodyStart: number, bodyLength: number): void;
  /** `bodyStart` is −1 when the body is elsewhere in the journal. `size`: without the body. */
  outbox(entry: OutboxEntry, size: number, bodyStart: number, bodyLength: number): void;
  settleOutbox(number: number): void;
  origin(origin: OriginRecord, size: number): void;
  dropOrigin(store: string, run: number): void;
  identity(identity: string, size: number): void;
}

/** @throws DamagedError */
export function readOps(from: RecordReader, to: OpVisitor): void {
  while (from.more) readOp(from, to);
}

function readOp(from: RecordReader, to: OpVisitor): void {
  const start = from.position;
  const code = from.u8();
  switch (code) {
    case ENQUEUE:
      readEnqueue(from, to);
      return;
    case ADVANCE:
      to.advance(from.varint(), from.varint(), from.varint(), from.u8());
      return;
    case SETTLE:
      to.settle(from.varint(), from.varint());
      return;
    case HOLD:
      to.hold(from.varint(), from.varint());
      return;
    case RELEASE:
      to.release(from.varint(), from.varint());
      return;
    case SESSION: {
      const handle = from.varint();
      const record = readSession(from);
      to.session(handle, record, from.position - start);
      return;
    }
    case DROP_SESSION:
      to.dropSession(from.varint());
      return;
    case SUBSCRIBE: {
      const handle = from.varint();
      const filter = from.string();
      const subscription = readSubscription(from);
      to.subscribe(handle, filter, subscription, from.position - start);
      return;
    }
    case UNSUBSCRIBE:
      to.unsubscribe(from.varint(), from.string());
      return;
    case RETAIN: {
      const length = from.u32();
      to.retain(from.take(length), length, 0);
      return;
    }
    case UNRETAIN:
      to.unretain(from.string());
      return;
    case BODY: {
      const messageId = from.varint();
      const length = from.u32();
      to.body(messageId, from.take(length), length);
      return;
    }
    default:
      readOutboxOp(code, start, from, to);
  }
}

function readOutboxOp(code: number, start: number, from: RecordReader, to: OpVisitor): void {
  switch (code) {
    case OUTBOX: {
      const hasBody = from.u8() !== 0;
      const entry = readOutboxEntry(from);
      const size = from.position - start;
      const length = hasBody ? from.u32() : 0;
      to.outbox(entry, size, hasBody ? from.take(length) : -1, length);
      return;
    }
    case RETAIN_AT: {
      const setAt = from.f64();
      const length = from.u32();
      to.retain(from.take(length), length, setAt);
      return;
    }
    case CLEAR: {
      const topic = from.string();
      const setAt = from.f64();
      to.clear(topic, setAt, from.position - start);
      return;
    }
    case SETTLE_OUTBOX:
      to.settleOutbox(from.varint());
      return;
    case ORIGIN: {
      const origin = readOrigin(from);
      to.origin(origin, from.position - start);
      return;
    }
    case DROP_ORIGIN:
      to.dropOrigin(from.string(), from.varint());
      return;
    case IDENTITY: {
      const identity = from.string();
      to.identity(identity, from.position - start);
      return;
    }
    default:
      throw new DamagedError(`${code} is no operation`);
  }
}

function readEnqueue(from: RecordReader, to: OpVisitor): void {
  const handle = from.varint();
  const seq = from.varint();
  const messageId = from.varint();
  const flags = from.u8();
  const packetId = flags & HAS_PACKET_ID ? from.varint() : 0;
  const identifiers = flags & HAS_IDENTIFIERS ? readNumbers(from) : undefined;
  const length = flags & HAS_BODY ? from.u32() : 0;
  const start = flags & HAS_BODY ? from.take(length) : -1;
  to.enqueue(handle, seq, messageId, flags, packetId, identifiers, start, length);
}

export function writeSessionOp(to: RecordWriter, handle: number, record: SessionRecord): void {
  to.u8(SESSION);
  to.varint(handle);
  writeSession(to, record);
}

export function writeSubscribeOp(
  to: RecordWriter,
  handle: number,
  filter: string,
  subscription: SubscriptionRecord,
): void {
  to.u8(SUBSCRIBE);
  to.varint(handle);
  to.string(filter);
  writeSubscription(to, subscription);
}

export function writeUnsubscribeOp(to: RecordWriter, handle: number, filter: string): void {
  to.u8(UNSUBSCRIBE);
  to.varint(handle);
  to.string(filter);
}

export function writeDropSessionOp(to: RecordWriter, handle: number): void {
  to.u8(DROP_SESSION);
  to.varint(handle);
}

/** With HAS_BODY in `flags` the caller writes the body after it, as a block. */
export function writeEnqueueOp(
  to: RecordWriter,
  handle: number,
  seq: number,
  messageId: number,
  flags: number,
  packetId: number,
  identifiers: readonly number[] | undefined,
): void {
  to.u8(ENQUEUE);
  to.varint(handle);
  to.varint(seq);
  to.varint(messageId);
  to.u8(flags | (packetId === 0 ? 0 : HAS_PACKET_ID) | (identifiers === undefined ? 0 : HAS_IDENTIFIERS));
  if (packetId !== 0) to.varint(packetId);
  if (identifiers !== undefined) writeNumbers(to, identifiers);
}

export function writeAdvanceOp(to: RecordWriter, handle: number, seq: number, packetId: number, state: number): void {
  to.u8(ADVANCE);
  to.varint(handle);
  to.varint(seq);
  to.varint(packetId);
  to.u8(state);
}

export function writeSettleOp(to: RecordWriter, handle: number, seq: number): void {
  to.u8(SETTLE);
  to.varint(handle);
  to.varint(seq);
}

export function writeHoldOp(to: RecordWriter, handle: number, packetId: number): void {
  to.u8(HOLD);
  to.varint(handle);
  to.varint(packetId);
}

export function writeReleaseOp(to: RecordWriter, handle: number, packetId: number): void {
  to.u8(RELEASE);
  to.varint(handle);
  to.varint(packetId);
}

/**
 * The caller writes the message after it, as a block.
 * @param setAt 0: unknown
 */
export function writeRetainOp(to: RecordWriter, setAt: number): void {
  to.u8(setAt === 0 ? RETAIN : RETAIN_AT);
  if (setAt !== 0) to.f64(setAt);
}

export function writeClearOp(to: RecordWriter, topic: string, setAt: number): void {
  to.u8(CLEAR);
  to.string(topic);
  to.f64(setAt);
}

export function writeUnretainOp(to: RecordWriter, topic: string): void {
  to.u8(UNRETAIN);
  to.string(topic);
}

/** The caller writes the message after it, as a block. */
export function writeBodyOp(to: RecordWriter, messageId: number): void {
  to.u8(BODY);
  to.varint(messageId);
}

/** With `hasBody` the caller writes the message after it, as a block. */
export function writeOutboxOp(to: RecordWriter, entry: OutboxEntry, hasBody: boolean): void {
  to.u8(OUTBOX);
  to.u8(hasBody ? 1 : 0);
  writeOutboxEntry(to, entry);
}

export function writeSettleOutboxOp(to: RecordWriter, number: number): void {
  to.u8(SETTLE_OUTBOX);
  to.varint(number);
}

export function writeOriginOp(to: RecordWriter, origin: OriginRecord): void {
  to.u8(ORIGIN);
  writeOrigin(to, origin);
}

export function writeDropOriginOp(to: RecordWriter, store: string, run: number): void {
  to.u8(DROP_ORIGIN);
  to.string(store);
  to.varint(run);
}

export function writeIdentityOp(to: RecordWriter, identity: string): void {
  to.u8(IDENTITY);
  to.string(identity);
}
