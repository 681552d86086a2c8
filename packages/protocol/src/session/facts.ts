// What has to be stored of a session for it to survive its process: facts, one by one as they occur, and the snapshot
// of all of them.
import type { QoS, RetainHandling } from "@wrenmq/codec";
import type { StoredMessage } from "../message/stored-message.ts";
import type { Millis, Seconds } from "../time.ts";

/** A subscription as it was granted. */
export interface SubscriptionRecord {
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly retainHandling: RetainHandling;
  readonly subscriptionIdentifier: number | undefined;
}

export interface StoredWill {
  readonly message: StoredMessage;
  /** Seconds between the end of the connection and the publication. */
  readonly delay: Seconds;
}

export interface SessionRecord {
  readonly clientId: string;
  readonly username: string | undefined;
  /** Seconds; Infinity never expires. */
  readonly expiryInterval: Seconds;
  /** Epoch milliseconds of the end of the last connection; undefined while one is open. */
  readonly disconnectedAt: Millis | undefined;
  readonly will: StoredWill | undefined;
}

/** Where an outbound QoS 1 or 2 message stands. */
export type DeliveryState = "queued" | "awaitPuback" | "awaitPubrec" | "awaitPubcomp";

/** One message for one session. `seq` grows with each message of the session and orders them. */
export interface QueueEntry {
  readonly seq: number;
  /** The message's number in this store; several sessions refer to one message by it. */
  readonly messageId: number;
  readonly qos: 1 | 2;
  readonly retain: boolean;
  readonly subscriptionIdentifiers: readonly number[] | undefined;
  readonly state: DeliveryState;
  /** 0 while queued. */
  readonly packetId: number;
}

export interface SessionSnapshot {
  readonly record: SessionRecord;
  readonly subscriptions: ReadonlyMap<string, SubscriptionRecord>;
  /** Entries in flight (state other than queued), in order of `seq`. After PUBREC the message itself may be absent. */
  readonly inflight: readonly QueueEntry[];
  /** How many queued entries follow, and the lowest and highest `seq` of all entries (0 when there are none). */
  readonly queued: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Packet identifiers of inbound QoS 2 messages that wait for PUBREL. */
  readonly inboundPacketIds: readonly number[];
}
