// The bytes of a message, a session and a subscription. Positional and without names: the version of the format
// (format.ts) defines the fields, so a change here needs a new version and a migration.
import type { SessionRecord, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import { DamagedError, type RecordReader } from "./record-reader.ts";
import type { RecordWriter } from "./record-writer.ts";

type Properties = NonNullable<StoredMessage["properties"]>;
type WritableProperties = { -readonly [Name in keyof Properties]: Properties[Name] };

const RETAIN = 0x04;
const EXPIRES = 0x08;
const PROPERTIES = 0x10;

export function writeMessage(to: RecordWriter, message: StoredMessage): void {
  const { topic, payload, qos, retain, properties, expiresAt, publisher } = message;
  const expires = expiresAt !== Number.POSITIVE_INFINITY;
  to.u8(storable(qos) | (retain ? RETAIN : 0) | (expires ? EXPIRES : 0) | (properties === undefined ? 0 : PROPERTIES));
  to.string(topic);
  to.string(publisher);
  if (expires) to.f64(expiresAt);
  if (properties !== undefined) writeProperties(to, properties);
  to.bytes(payload);
}

export function readMessage(from: RecordReader): StoredMessage {
  const flags = from.u8();
  const topic = from.string();
  const publisher = from.string();
  const expiresAt = flags & EXPIRES ? from.f64() : Number.POSITIVE_INFINITY;
  const properties = flags & PROPERTIES ? readProperties(from) : undefined;
  const payload = from.bytes();
  return { topic, payload, qos: level(flags & 3), retain: (flags & RETAIN) !== 0, properties, expiresAt, publisher };
}

/** Only the topic, by which a retained message is found. */
export function readMessageTopic(from: RecordReader): string {
  from.u8();
  return from.string();
}

function writeProperties(to: RecordWriter, from: Properties): void {
  const mark = to.length;
  to.u8(0);
  let present = 0;
  if (from.payloadFormatIndicator !== undefined) {
    present |= 1;
    to.u8(from.payloadFormatIndicator);
  }
  if (from.messageExpiryInterval !== undefined) {
    present |= 2;
    to.varint(from.messageExpiryInterval);
  }
  if (from.topicAlias !== undefined) {
    present |= 4;
    to.varint(from.topicAlias);
  }
  if (from.responseTopic !== undefined) {
    present |= 8;
    to.string(from.responseTopic);
  }
  if (from.correlationData !== undefined) {
    present |= 16;
    to.bytes(from.correlationData);
  }
  if (from.userProperties !== undefined) {
    present |= 32;
    to.varint(from.userProperties.length);
    for (const [name, value] of from.userProperties) {
      to.string(name);
      to.string(value);
    }
  }
  if (from.subscriptionIdentifiers !== undefined) {
    present |= 64;
    writeNumbers(to, from.subscriptionIdentifiers);
  }
  if (from.contentType !== undefined) {
    present |= 128;
    to.string(from.contentType);
  }
  to.buffer[mark] = present;
}

function readProperties(from: RecordReader): Properties {
  const present = from.u8();
  const read: WritableProperties = {};
  if (present & 1) read.payloadFormatIndicator = from.u8() === 0 ? 0 : 1;
  if (present & 2) read.messageExpiryInterval = from.varint();
  if (present & 4) read.topicAlias = from.varint();
  if (present & 8) read.responseTopic = from.string();
  if (present & 16) read.correlationData = from.bytes();
  if (present & 32) {
    const pairs: [string, string][] = [];
    for (let left = from.varint(); left > 0; left--) pairs.push([from.string(), from.string()]);
    read.userProperties = pairs;
  }
  if (present & 64) read.subscriptionIdentifiers = readNumbers(from);
  if (present & 128) read.contentType = from.string();
  return read;
}

export function writeNumbers(to: RecordWriter, numbers: readonly number[]): void {
  to.varint(numbers.length);
  for (const number of numbers) to.varint(number);
}

export function readNumbers(from: RecordReader): number[] {
  const numbers: number[] = [];
  for (let left = from.varint(); left > 0; left--) numbers.push(from.varint());
  return numbers;
}

const USERNAME = 1;
const DISCONNECTED = 2;
const WILL = 4;

export function writeSession(to: RecordWriter, record: SessionRecord): void {
  const { clientId, username, expiryInterval, disconnectedAt, will } = record;
  to.u8(
    (username === undefined ? 0 : USERNAME) |
      (disconnectedAt === undefined ? 0 : DISCONNECTED) |
      (will === undefined ? 0 : WILL),
  );
  to.string(clientId);
  to.f64(expiryInterval);
  if (username !== undefined) to.string(username);
  if (disconnectedAt !== undefined) to.f64(disconnectedAt);
  if (will !== undefined) {
    to.f64(will.delay);
    writeMessage(to, will.message);
  }
}

export function readSession(from: RecordReader): SessionRecord {
  const flags = from.u8();
  const clientId = from.string();
  const expiryInterval = from.f64();
  const username = flags & USERNAME ? from.string() : undefined;
  const disconnectedAt = flags & DISCONNECTED ? from.f64() : undefined;
  const will = flags & WILL ? { delay: from.f64(), message: ownMessage(readMessage(from)) } : undefined;
  return { clientId, username, expiryInterval, disconnectedAt, will };
}

/**
 * The message with its own bytes: a message that stays in memory must not keep the large buffer from which it was read.
 */
export function ownMessage(message: StoredMessage): StoredMessage {
  const correlation = message.properties?.correlationData;
  const properties =
    correlation === undefined ? message.properties : { ...message.properties, correlationData: correlation.slice() };
  return { ...message, payload: message.payload.slice(), properties };
}

export function writeSubscription(to: RecordWriter, record: SubscriptionRecord): void {
  const { qos, noLocal, retainAsPublished, retainHandling, subscriptionIdentifier } = record;
  to.u8(
    storable(qos) |
      (noLocal ? 4 : 0) |
      (retainAsPublished ? 8 : 0) |
      (storable(retainHandling) << 4) |
      (subscriptionIdentifier === undefined ? 0 : 64),
  );
  if (subscriptionIdentifier !== undefined) to.varint(subscriptionIdentifier);
}

export function readSubscription(from: RecordReader): SubscriptionRecord {
  const flags = from.u8();
  return {
    qos: level(flags & 3),
    noLocal: (flags & 4) !== 0,
    retainAsPublished: (flags & 8) !== 0,
    retainHandling: level((flags >> 4) & 3),
    subscriptionIdentifier: flags & 64 ? from.varint() : undefined,
  };
}

/** Refuses values that could not be read back. */
export function storable(value: number): number {
  if (value === 0 || value === 1 || value === 2) return value;
  throw new RangeError(`${value} where 0, 1 or 2 is expected`);
}

function level(bits: number): 0 | 1 | 2 {
  if (bits === 0 || bits === 1 || bits === 2) return bits;
  throw new DamagedError("3 where 0, 1 or 2 is expected");
}
