// The limits of a broker and of a listener: names, units, defaults.
import {
  type Capabilities,
  DEFAULT_CAPABILITIES,
  type Millis,
  type Overflow,
  type Seconds,
  type SessionLimits,
} from "@wrenmq/protocol";

export interface BrokerLimits extends Capabilities {
  /** Open connections of the whole broker; 0: no limit. */
  readonly maxConnections: number;
  /** Sessions that outlive their connections, of the whole broker; 0: no limit. Others end with theirs. */
  readonly maxSessions: number;
  /** Milliseconds until CONNECT must have come. */
  readonly connectTimeout: number;
  /** Subscriptions of one session; 0: no limit. */
  readonly maxSubscriptions: number;
  /** QoS 1 and 2 messages that wait for one session; 0: no limit. */
  readonly maxQueuedMessages: number;
  /** Bytes of them; 0: no limit. */
  readonly maxQueuedBytes: number;
  readonly overflow: Overflow;
  /**
   * Milliseconds that a session with the policy `backpressure` may hold its publishers, from when its queue has passed the
   * bound; then what is new for it is dropped until its queue is below half of the bound. 0: no limit. Default 2,000.
   */
  readonly backpressureTimeout: Millis;
  /** Retained messages; 0: no limit. */
  readonly maxRetainedMessages: number;
  /** Bytes of their payloads, topics and properties; 0: no limit. */
  readonly maxRetainedBytes: number;
  /** PUBLISH packets per second from one client, and bytes per second; 0: no limit. The client is read more slowly. */
  readonly messageRate: number;
  readonly byteRate: number;
  /** New connections per second from one address; 0: no limit. */
  readonly connectionRate: number;
  /** Messages of one publisher whose acknowledgement waits, before its next PUBLISH waits. */
  readonly maxUnsettled: number;
  /** Bytes of packets that wait for one client before it is read no further, and of answers that it does not read. */
  readonly maxBuffered: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  ...DEFAULT_CAPABILITIES,
  maximumPacketSize: 16 * 1024 * 1024,
  maxConnections: 100_000,
  maxSessions: 1_000_000,
  connectTimeout: 10_000,
  maxSubscriptions: 100_000,
  maxQueuedMessages: 100_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  overflow: "backpressure",
  backpressureTimeout: 2_000,
  maxRetainedMessages: 1_000_000,
  maxRetainedBytes: 1024 * 1024 * 1024,
  messageRate: 0,
  byteRate: 0,
  connectionRate: 0,
  maxUnsettled: 2_000,
  maxBuffered: 1024 * 1024,
};

/** What of the limits holds for sessions, whether their clients are connected or not. */
export function sessionLimitsOf(limits: BrokerLimits): SessionLimits {
  const { maxQueuedMessages, maxQueuedBytes, overflow, backpressureTimeout } = limits;
  return {
    maxQueuedMessages: bound(maxQueuedMessages),
    maxQueuedBytes: bound(maxQueuedBytes),
    overflow,
    backpressureTimeout: bound(backpressureTimeout),
  };
}

const bound = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

export interface SessionPolicy {
  /** Seconds that a session without Clean Session lives on before MQTT 5 could say; Infinity: for ever. */
  readonly defaultExpiry: Seconds;
  /** The longest expiry that a client gets. Seconds. */
  readonly maximumExpiry: Seconds;
}
