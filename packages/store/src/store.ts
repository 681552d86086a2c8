// The contract between the broker and its durable storage. Memory is authoritative while the broker runs; a store
// records facts, which are read back at the next start. It has nothing to do with clients, connections or packets.

import type { QueueEntry, SessionRecord, SessionSnapshot, StoredMessage, SubscriptionRecord } from "@wrenmq/protocol";
import type { OriginRecord, OutboxEntry, OutboxMessage, RetainedStamp } from "./outbox.ts";

/** For an entry that waits for PUBCOMP only: its message is not needed any more, and not stored. */
export const NO_MESSAGE: StoredMessage = {
  topic: "",
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  properties: undefined,
  expiresAt: Number.POSITIVE_INFINITY,
  publisher: "",
};

/** One fact. Facts are applied in the order given. */
export type StoreOp =
  /** Creates the session or replaces its record; its other facts stay. */
  | { readonly op: "putSession"; readonly record: SessionRecord }
  /** Removes the session with everything that belongs to it. */
  | { readonly op: "deleteSession"; readonly clientId: string }
  | {
      readonly op: "putSubscription";
      readonly clientId: string;
      readonly filter: string;
      readonly subscription: SubscriptionRecord;
    }
  | { readonly op: "deleteSubscription"; readonly clientId: string; readonly filter: string }
  /**
   * Adds an entry. The message is stored once for all entries that refer to its id, until the last of them is settled.
   */
  | {
      readonly op: "enqueue";
      readonly clientId: string;
      readonly entry: QueueEntry;
      readonly message: StoredMessage;
    }
  /**
   * An entry has changed its state or got its packet identifier. From awaitPubcomp on its message is not needed any
   * more.
   */
  | {
      readonly op: "advance";
      readonly clientId: string;
      readonly seq: number;
      readonly packetId: number;
      readonly state: QueueEntry["state"];
    }
  /** An entry is done: acknowledged, expired or dropped. */
  | { readonly op: "settle"; readonly clientId: string; readonly seq: number }
  /** An inbound QoS 2 packet identifier waits for PUBREL. */
  | { readonly op: "hold"; readonly clientId: string; readonly packetId: number }
  | { readonly op: "release"; readonly clientId: string; readonly packetId: number }
  /** @param setAt see `RetainedStamp`; absent: unknown */
  | { readonly op: "putRetained"; readonly message: StoredMessage; readonly setAt?: number }
  /** There is no retained message any more, which is remembered: an older one must not come back. */
  | { readonly op: "clearRetained"; readonly topic: string; readonly setAt: number }
  /** Removes everything about the topic. */
  | { readonly op: "deleteRetained"; readonly topic: string }
  /** Adds an entry to the outbox. Its message is stored like that of a queue, until the entry is settled. */
  | { readonly op: "putOutbox"; readonly entry: OutboxEntry; readonly message: StoredMessage }
  /** All receivers have the message. */
  | { readonly op: "settleOutbox"; readonly number: number }
  /** Replaces the record of the origin. */
  | { readonly op: "putOrigin"; readonly origin: OriginRecord }
  /** No more messages come from it. */
  | { readonly op: "deleteOrigin"; readonly store: string; readonly run: number }
  /** The name of this store at other brokers. */
  | { readonly op: "putIdentity"; readonly identity: string };

/** A queued entry with its message. */
export interface QueuedMessage {
  readonly entry: QueueEntry;
  readonly message: StoredMessage;
}

/**
 * Stores sessions and retained messages so that they outlive the process.
 *
 * Reads see every batch applied before them. Reads are synchronous where the engine allows it; `apply` returns
 * undefined when the batch is durable on return, otherwise a promise that resolves when it is.
 */
export interface Store {
  /** @throws StoreError ERR_STORE_LOCKED, ERR_STORE_FORMAT, ERR_STORE_DAMAGED, ERR_STORE_OPEN */
  open(): void | Promise<void>;
  /** Waits for operations in progress. The store may be opened again. */
  close(): void | Promise<void>;
  /** Every session, without the bodies of its queue: read once at the start. */
  sessions(): Iterable<SessionSnapshot>;
  /** Every retained message: read once at the start. */
  retained(): Iterable<StoredMessage>;
  /** When retained messages were set and cleared, where that is known: read once at the start. */
  retainedStamps(): Iterable<RetainedStamp>;
  /** Up to `limit` queued entries (state "queued") with `seq` above `after`, in order. */
  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[];
  /** The message of an entry in flight; undefined when it is not stored (any more). */
  message(clientId: string, seq: number): StoredMessage | undefined;
  /** Every entry of the outbox, in the order of their numbers: read once at the start. */
  outbox(): Iterable<OutboxMessage>;
  /** Every origin from which messages were taken. */
  origins(): Iterable<OriginRecord>;
  /** The last identity that was put; undefined: there is none. */
  identity(): string | undefined;
  /**
   * Applies all operations or none.
   * @throws StoreError ERR_STORE_FULL and others, synchronously or by rejection: nothing was applied
   */
  apply(batch: readonly StoreOp[]): undefined | Promise<void>;
  /** For `$SYS` and metrics. */
  stats(): StoreStats;
}

export interface StoreStats {
  readonly sessions: number;
  readonly messages: number;
  readonly retained: number;
  /** Number of entries of the outbox. */
  readonly outbox: number;
  /** Bytes on disk; 0 for a store in memory. */
  readonly bytes: number;
  /** No stored message has a higher identifier, so the next one is free after a restart. 0: no message is stored. */
  readonly lastMessageId: number;
}

/** A store could not do what was asked of it. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly code: StoreErrorCode;
  constructor(code: StoreErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
export type StoreErrorCode =
  | "ERR_STORE_OPEN"
  | "ERR_STORE_LOCKED"
  | "ERR_STORE_FORMAT"
  | "ERR_STORE_DAMAGED"
  | "ERR_STORE_FULL"
  | "ERR_STORE_WRITE"
  | "ERR_STORE_CLOSED"
  | "ERR_STORE_DEPOSED";
