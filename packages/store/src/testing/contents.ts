// The contents of a store as plain data: equal contents mean that no reader can distinguish two stores.
import type { QueueEntry, SessionRecord, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import { type OriginRecord, type OutboxMessage, originKey, type RetainedStamp } from "../outbox.ts";
import type { Store } from "../store.ts";

export interface SessionContents {
  readonly record: SessionRecord;
  readonly subscriptions: readonly (readonly [string, SubscriptionRecord])[];
  readonly inflight: readonly { readonly entry: QueueEntry; readonly message: StoredMessage | undefined }[];
  readonly queued: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly inboundPacketIds: readonly number[];
  readonly queue: readonly { readonly entry: QueueEntry; readonly message: StoredMessage }[];
}

export interface StoreContents {
  readonly sessions: Readonly<Record<string, SessionContents>>;
  readonly retained: Readonly<Record<string, StoredMessage>>;
  readonly stamps: Readonly<Record<string, RetainedStamp>>;
  readonly outbox: readonly OutboxMessage[];
  readonly origins: Readonly<Record<string, OriginRecord>>;
  readonly identity: string | undefined;
  readonly messages: number;
}

/** Reads a store through its interface. `page` is the number of entries per read. */
export function contentsOf(store: Store, page = 7): StoreContents {
  const sessions: Record<string, SessionContents> = {};
  for (const { record, subscriptions, inflight, queued, firstSeq, lastSeq, inboundPacketIds } of store.sessions()) {
    sessions[record.clientId] = {
      record: plainRecord(record),
      subscriptions: [...subscriptions].sort(([a], [b]) => (a < b ? -1 : 1)),
      inflight: inflight.map((entry) => ({ entry, message: plainOrNot(store.message(record.clientId, entry.seq)) })),
      queued,
      firstSeq,
      lastSeq,
      inboundPacketIds: [...inboundPacketIds].sort((a, b) => a - b),
      queue: readQueue(store, record.clientId, page),
    };
  }
  const retained: Record<string, StoredMessage> = {};
  for (const message of store.retained()) retained[message.topic] = plain(message);
  return {
    sessions,
    retained,
    stamps: Object.fromEntries([...store.retainedStamps()].map((stamp) => [stamp.topic, stamp])),
    outbox: [...store.outbox()].map(({ entry, message }) => ({ entry, message: plain(message) })),
    origins: Object.fromEntries([...store.origins()].map((origin) => [originKey(origin), origin])),
    identity: store.identity(),
    messages: store.stats().messages,
  };
}

export function readQueue(store: Store, clientId: string, page: number): SessionContents["queue"] {
  const all: { entry: QueueEntry; message: StoredMessage }[] = [];
  for (let after = -1; ; ) {
    const next = store.queue(clientId, after, page);
    const last = next.at(-1);
    if (last === undefined) return all;
    for (const { entry, message } of next) all.push({ entry, message: plain(message) });
    after = last.entry.seq;
  }
}

/** The same message with its bytes in a plain Uint8Array, so that a Buffer counts as equal. */
export function plain(message: StoredMessage): StoredMessage {
  const correlationData = message.properties?.correlationData;
  return {
    ...message,
    payload: new Uint8Array(message.payload),
    properties:
      message.properties === undefined || correlationData === undefined
        ? message.properties
        : { ...message.properties, correlationData: new Uint8Array(correlationData) },
  };
}

function plainOrNot(message: StoredMessage | undefined): StoredMessage | undefined {
  return message === undefined ? undefined : plain(message);
}

function plainRecord(record: SessionRecord): SessionRecord {
  return record.will === undefined
    ? record
    : { ...record, will: { ...record.will, message: plain(record.will.message) } };
}
