// A message as a store keeps it.
import type { PublishProperties, QoS } from "@wrenmq/codec";
import type { Millis } from "../time.ts";

/** A message as it is kept: nothing in it refers to a connection. */
export interface StoredMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Without topic alias, subscription identifiers and message expiry interval. */
  readonly properties: PublishProperties | undefined;
  /** Epoch milliseconds; Infinity when it never expires. */
  readonly expiresAt: Millis;
  /** Client identifier of the publisher; empty for the server itself. */
  readonly publisher: string;
}
