// Bounds, global and per listener. The defaults let every ordinary client work and no single one take the machine.

import { duration, rate, size } from "../description/quantities.ts";
import { choice, count, flag, integer } from "../description/scalars.ts";
import { type Section, section } from "../description/section.ts";
import type { Limits } from "../wren-config.ts";

/** Limits that only the whole broker can have; a listener bounds its connections with a key of its own. */
export const GLOBAL_LIMITS: readonly (keyof Limits)[] = [
  "maxConnections",
  "maxSessions",
  "maxRetainedMessages",
  "maxRetainedBytes",
];

const MiB = 1024 * 1024;
/** Largest packet the standard can express: four length bytes and the header (2.1.4). */
const LARGEST_PACKET = 268_435_460;

export const limitsSection: Section<Limits> = section<Limits>(
  "Bounds on what clients may use; what MQTT 5 can announce is announced.",
  {
    connectTimeoutMs: {
      key: "connect_timeout",
      doc: "From accepting a connection to its complete CONNECT.",
      type: duration("ms", { positive: true }),
      default: 10_000,
    },
    maximumPacketSize: {
      doc: "Largest packet; a larger one closes the connection.",
      type: size({ maximum: LARGEST_PACKET }),
      default: 16 * MiB,
    },
    maxTopicLength: {
      doc: "Bytes of a topic name or filter.",
      type: integer(1, 65_535),
      default: 65_535,
    },
    maxTopicLevels: { doc: "Levels of a topic name or filter.", type: integer(1, 65_536), default: 200 },
    maxSubscriptionsPerClient: { doc: "Subscriptions of one session.", type: count, default: 100_000 },
    receiveMaximum: {
      doc: "QoS 1 and 2 messages that a client may have open towards the broker.",
      type: integer(1, 65_535),
      default: 1024,
    },
    maxInflight: {
      doc: "QoS 1 and 2 messages that the broker has open towards a client.",
      type: integer(1, 65_535),
      default: 16_384,
    },
    maxQueuedMessages: { doc: "Messages that wait for one session.", type: count, default: 100_000 },
    maxQueuedBytes: { doc: "Bytes that wait for one session.", type: size({ unlimited: true }), default: 64 * MiB },
    overflow: {
      doc: "What happens when a session's queue is full: `backpressure` holds the publisher's acknowledgement, then its PUBLISH packets, for `backpressure_timeout`; while its client is away what is new is dropped.",
      type: choice(["backpressure", "drop-new", "drop-old", "disconnect"]),
      default: "backpressure",
    },
    backpressureTimeoutMs: {
      key: "backpressure_timeout",
      doc: "How long a connected session may hold publishers with `backpressure`; then what is new for it is dropped until its queue is below half of its bound.",
      type: duration("ms", { zeroIs: "unlimited" }),
      default: 2_000,
    },
    maxRetainedMessages: { doc: "Retained messages of the broker.", type: count, default: 1_000_000 },
    maxRetainedBytes: {
      doc: "Bytes of all retained messages: payloads, topics, properties.",
      type: size({ unlimited: true }),
      default: 1024 * MiB,
    },
    topicAliasMaximum: {
      doc: "Topic aliases that a client may use; 0 means none.",
      type: integer(0, 65_535),
      default: 64,
    },
    maximumQoS: { key: "maximum_qos", doc: "Highest QoS.", type: choice([0, 1, 2]), default: 2 },
    messageRate: { doc: "PUBLISH packets of one client.", type: rate("count"), default: 0 },
    byteRate: { doc: "Bytes of one client.", type: rate("size"), default: 0 },
    connectionRatePerAddress: {
      doc: "New connections from one address; more are closed at once, before any handshake. With several workers each counts those that it accepts.",
      type: rate("count"),
      default: 0,
    },
    maxConnections: {
      doc: "Connections of the whole broker; one more is refused with CONNACK 0x97 (3 in MQTT 3).",
      type: count,
      default: 100_000,
    },
    maxSessions: {
      doc: "Sessions that outlive their connections; a client that needs one more is refused with CONNACK 0x97 (3 in MQTT 3).",
      type: count,
      default: 1_000_000,
    },
    keepAliveMaximumSeconds: {
      key: "maximum_keep_alive",
      doc: "Longest keep alive; a client that asks for more, or for none, gets this one.",
      type: duration("s", { zeroIs: "unlimited" }),
      default: 0,
    },
    retainAvailable: {
      doc: "Retained messages; without them a publisher of one is disconnected.",
      type: flag,
      default: true,
    },
    wildcardSubscriptionAvailable: { doc: "Subscriptions with `+` and `#`.", type: flag, default: true },
    subscriptionIdentifierAvailable: { doc: "Subscription identifiers.", type: flag, default: true },
    sharedSubscriptionAvailable: { doc: "Shared subscriptions.", type: flag, default: true },
  },
);
