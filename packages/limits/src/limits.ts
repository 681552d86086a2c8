// The table of all limits: name, unit, default, bounds and documentation of each. Options of the broker, capabilities that
// MQTT 5 announces, keys of configuration files, their schema and their documentation are made from this table; no default
// is written anywhere else.
//
// Durations are milliseconds, except what MQTT counts in seconds (keep alive); sizes are bytes; rates are per second.

/** What happens to a message for a session whose queue is at its bound. */
export type Overflow = "backpressure" | "drop-new" | "drop-old" | "disconnect";

export interface Limits {
  /** Open connections of the whole broker. 0: no limit. Default 100,000. */
  readonly maxConnections: number;
  /** Sessions of the whole broker that outlive their connections; others end with theirs. 0: no limit. Default 1,000,000. */
  readonly maxSessions: number;
  /** Milliseconds from accepting a connection to its complete CONNECT. Default 10,000. */
  readonly connectTimeout: number;
  /** Bytes of one whole packet, fixed header included, that a client may send. Default 16,777,216. [MQTT5 3.2.2.3.6] */
  readonly maximumPacketSize: number;
  /** Bytes of a topic name or filter. Default 65,535. */
  readonly maxTopicLength: number;
  /** Levels of a topic name or filter. Default 200. */
  readonly maxTopicLevels: number;
  /** Bytes of a client identifier. Default 65,535. */
  readonly maxClientIdLength: number;
  /** Subscriptions of one session. 0: no limit. Default 100,000. */
  readonly maxSubscriptions: number;
  /** QoS 1 and 2 messages that a client may have unacknowledged. Default 1,024. [MQTT5 3.2.2.3.3] */
  readonly receiveMaximum: number;
  /**
   * QoS 1 and 2 messages that the broker has unacknowledged at one client, if its Receive Maximum allows as many.
   * Default 16,384.
   */
  readonly maxInflight: number;
  /** QoS 1 and 2 messages that wait for one session. 0: no limit. Default 100,000. */
  readonly maxQueuedMessages: number;
  /** Bytes of the messages that wait for one session. 0: no limit. Default 67,108,864. */
  readonly maxQueuedBytes: number;
  /** What happens to a message for a session whose queue is at its bound. Default "backpressure". */
  readonly overflow: Overflow;
  /**
   * Milliseconds that a connected session with the policy `backpressure` may hold its publishers, from when its queue
   * has passed the bound; then new messages for it are dropped until its queue is below half of the bound. 0: no limit.
   * Default 2,000.
   */
  readonly backpressureTimeout: number;
  /** Retained messages of the broker. 0: no limit. Default 1,000,000. */
  readonly maxRetainedMessages: number;
  /** Bytes of payloads, topics and properties of all retained messages. 0: no limit. Default 1,073,741,824. */
  readonly maxRetainedBytes: number;
  /** Topic aliases that a client may use. 0: none. Default 64. [MQTT5 3.2.2.3.8] */
  readonly topicAliasMaximum: number;
  /**
   * Topic aliases that the broker uses towards one client, if its Topic Alias Maximum allows as many. 0: none. Default
   * 16.
   */
  readonly outboundTopicAliasMaximum: number;
  /** Highest QoS. Default 2. [MQTT5 3.2.2.3.4] */
  readonly maximumQoS: 0 | 1 | 2;
  /** PUBLISH packets per second from one client; faster ones are read later. 0: no limit. Default 0. */
  readonly messageRate: number;
  /** Bytes per second from one client; faster ones are read later. 0: no limit. Default 0. */
  readonly byteRate: number;
  /** New connections per second from one address; more are closed before any handshake. 0: no limit. Default 0. */
  readonly connectionRate: number;
  /** Seconds of the longest keep alive; a client that asks for more, or for none, gets this one. 0: any. Default 0. [MQTT5 3.2.2.3.14] */
  readonly keepAliveMaximum: number;
  /** Seconds on top of one and a half times the keep alive before a silent client is disconnected. Default 0. */
  readonly keepAliveExtra: number;
  /** Are there retained messages? Default true. [MQTT5 3.2.2.3.5] */
  readonly retainAvailable: boolean;
  /** May filters have `+` and `#`? Default true. [MQTT5 3.2.2.3.11] */
  readonly wildcardSubscriptionAvailable: boolean;
  /** May subscriptions have identifiers? Default true. [MQTT5 3.2.2.3.12] */
  readonly subscriptionIdentifierAvailable: boolean;
  /** Are there shared subscriptions? Default true. [MQTT5 3.2.2.3.13] */
  readonly sharedSubscriptionAvailable: boolean;
  /** Bytes that may wait for one client before it counts as blocked. Default 2,097,152. */
  readonly highWater: number;
  /** Messages of one publisher that are not acknowledged yet, before its next PUBLISH waits. Default 2,000. */
  readonly maxUnsettled: number;
  /**
   * Bytes of packets of one client that wait to be handled, before its connection is paused; and of answers that the
   * client does not read. Default 1,048,576.
   */
  readonly maxBuffered: number;
}

export type LimitUnit =
  | "count"
  | "bytes"
  | "milliseconds"
  | "seconds"
  | "events per second"
  | "bytes per second"
  | "flag"
  | "choice";

export interface Limit<T> {
  readonly unit: LimitUnit;
  readonly default: T;
  /** What 0 means; absent: 0 is not allowed, or has no special meaning. */
  readonly zero?: "no limit" | "none";
  readonly minimum?: number;
  readonly maximum?: number;
  readonly choices?: readonly T[];
  /** A limit of the whole broker: a listener cannot override it. */
  readonly ofBroker?: true;
  /** Key in configuration files. Default: the name in snake_case; false: it has no key, and is for programs only. */
  readonly key?: string | false;
  /** For the documentation of configuration files. */
  readonly doc: string;
}

const MiB = 1024 * 1024;
/** Largest packet that MQTT can express: a header byte and a Remaining Length of four bytes. [MQTT5 2.1.4] */
export const LARGEST_PACKET = 268_435_460;

/** In the order of the documentation. */
export const LIMITS: { readonly [Name in keyof Limits]: Limit<Limits[Name]> } = {
  connectTimeout: {
    unit: "milliseconds",
    default: 10_000,
    doc: "Time from accepting a connection to its complete CONNECT.",
  },
  maximumPacketSize: {
    unit: "bytes",
    default: 16 * MiB,
    maximum: LARGEST_PACKET,
    doc: "Largest packet; a larger one closes the connection.",
  },
  maxTopicLength: {
    unit: "count",
    default: 65_535,
    minimum: 1,
    maximum: 65_535,
    doc: "Bytes of a topic name or filter.",
  },
  maxTopicLevels: {
    unit: "count",
    default: 200,
    minimum: 1,
    maximum: 65_536,
    doc: "Levels of a topic name or filter.",
  },
  maxSubscriptions: {
    unit: "count",
    default: 100_000,
    zero: "no limit",
    key: "max_subscriptions_per_client",
    doc: "Subscriptions of one session.",
  },
  receiveMaximum: {
    unit: "count",
    default: 1024,
    minimum: 1,
    maximum: 65_535,
    doc: "QoS 1 and 2 messages of a client that are not acknowledged.",
  },
  maxInflight: {
    unit: "count",
    default: 16_384,
    minimum: 1,
    maximum: 65_535,
    doc: "QoS 1 and 2 messages to a client that are not acknowledged.",
  },
  maxQueuedMessages: {
    unit: "count",
    default: 100_000,
    zero: "no limit",
    doc: "Messages that wait for one session.",
  },
  maxQueuedBytes: { unit: "bytes", default: 64 * MiB, zero: "no limit", doc: "Bytes that wait for one session." },
  overflow: {
    unit: "choice",
    default: "backpressure",
    choices: ["backpressure", "drop-new", "drop-old", "disconnect"],
    doc: "What happens when a session's queue is full: `backpressure` holds the publisher's acknowledgement, then its PUBLISH packets, for `backpressure_timeout`; while the client is not connected new messages are dropped.",
  },
  backpressureTimeout: {
    unit: "milliseconds",
    default: 2_000,
    zero: "no limit",
    doc: "Time that a connected session may hold publishers with `backpressure`; then new messages for it are dropped until its queue is below half of its bound.",
  },
  maxRetainedMessages: {
    unit: "count",
    default: 1_000_000,
    zero: "no limit",
    ofBroker: true,
    doc: "Retained messages of the broker.",
  },
  maxRetainedBytes: {
    unit: "bytes",
    default: 1024 * MiB,
    zero: "no limit",
    ofBroker: true,
    doc: "Bytes of all retained messages: payloads, topics, properties.",
  },
  topicAliasMaximum: {
    unit: "count",
    default: 64,
    minimum: 0,
    maximum: 65_535,
    doc: "Topic aliases that a client may use; 0 means none.",
  },
  maximumQoS: { unit: "choice", default: 2, choices: [0, 1, 2], key: "maximum_qos", doc: "Highest QoS." },
  messageRate: {
    unit: "events per second",
    default: 0,
    zero: "no limit",
    doc: "PUBLISH packets of one client.",
  },
  byteRate: { unit: "bytes per second", default: 0, zero: "no limit", doc: "Bytes of one client." },
  connectionRate: {
    unit: "events per second",
    default: 0,
    zero: "no limit",
    key: "connection_rate_per_address",
    doc: "New connections from one address; more are closed at once, before any handshake. With several workers each counts those that it accepts.",
  },
  maxConnections: {
    unit: "count",
    default: 100_000,
    zero: "no limit",
    ofBroker: true,
    doc: "Connections of the whole broker; one more is refused with CONNACK 0x97 (3 in MQTT 3).",
  },
  maxSessions: {
    unit: "count",
    default: 1_000_000,
    zero: "no limit",
    ofBroker: true,
    doc: "Sessions that outlive their connections; a client that needs one more is refused with CONNACK 0x97 (3 in MQTT 3).",
  },
  keepAliveMaximum: {
    unit: "seconds",
    default: 0,
    zero: "no limit",
    key: "maximum_keep_alive",
    doc: "Longest keep alive; a client that asks for more, or for none, gets this one.",
  },
  retainAvailable: {
    unit: "flag",
    default: true,
    doc: "Retained messages; without them a publisher of one is disconnected.",
  },
  wildcardSubscriptionAvailable: { unit: "flag", default: true, doc: "Subscriptions with `+` and `#`." },
  subscriptionIdentifierAvailable: { unit: "flag", default: true, doc: "Subscription identifiers." },
  sharedSubscriptionAvailable: { unit: "flag", default: true, doc: "Shared subscriptions." },
  maxClientIdLength: {
    unit: "count",
    default: 65_535,
    minimum: 1,
    maximum: 65_535,
    key: false,
    doc: "Bytes of a client identifier.",
  },
  outboundTopicAliasMaximum: {
    unit: "count",
    default: 16,
    minimum: 0,
    maximum: 65_535,
    key: false,
    doc: "Topic aliases that the broker uses towards a client.",
  },
  keepAliveExtra: {
    unit: "seconds",
    default: 0,
    zero: "none",
    key: false,
    doc: "On top of one and a half times the keep alive before a silent client is disconnected.",
  },
  highWater: {
    unit: "bytes",
    default: 2 * MiB,
    key: false,
    doc: "Bytes that may wait for one client before it counts as blocked.",
  },
  maxUnsettled: {
    unit: "count",
    default: 2_000,
    minimum: 1,
    key: false,
    doc: "Messages of one publisher whose acknowledgement waits, before its next PUBLISH waits.",
  },
  maxBuffered: {
    unit: "bytes",
    default: MiB,
    key: false,
    doc: "Bytes of packets that wait for one client before it is read no further.",
  },
};

export const DEFAULT_LIMITS: Limits = Object.fromEntries(
  Object.entries(LIMITS).map(([name, limit]) => [name, limit.default]),
) as unknown as Limits;
