// What an embedder may say to `createBroker`: plain data, parts to plug in, and limits that are safe when nothing is said.
import type { ClusterBus } from "@wrenmq/cluster";
import type { Logger, Plugin } from "@wrenmq/plugin-api";
import {
  type Capabilities,
  DEFAULT_CAPABILITIES,
  type Overflow,
  type Seconds,
  type SessionLimits,
} from "@wrenmq/protocol";
import type { Store } from "@wrenmq/store";
import type { ListenerConfig } from "@wrenmq/transport";
import type { Placement } from "./clustering/client-placement.ts";
import type { ShareStrategy } from "./routing/shared-groups.ts";
import type { Clock } from "./runtime/clock.ts";

export interface BrokerLimits extends Capabilities {
  /** Open connections of the whole broker; 0: no limit. */
  readonly maxConnections: number;
  /** Sessions that outlive their connections, of the whole broker; 0: no limit. Others end with theirs. */
  readonly maxSessions: number;
  /** Milliseconds until CONNECT must have come. */
  readonly connectTimeout: number;
  /** Bytes of a topic name or filter. */
  readonly maxTopicLength: number;
  readonly maxTopicLevels: number;
  /** Subscriptions of one session; 0: no limit. */
  readonly maxSubscriptions: number;
  /** QoS 1 and 2 messages that wait for one session; 0: no limit. */
  readonly maxQueuedMessages: number;
  /** Bytes of them; 0: no limit. */
  readonly maxQueuedBytes: number;
  readonly overflow: Overflow;
  /** Retained messages; 0: no limit. */
  readonly maxRetainedMessages: number;
  /** Bytes of their payloads, topics and properties; 0: no limit. */
  readonly maxRetainedBytes: number;
  /** PUBLISH packets per second from one client, and bytes per second; 0: no limit. The client is read more slowly. */
  readonly messageRate: number;
  readonly byteRate: number;
  /** New connections per second from one address; 0: no limit. */
  readonly connectionRate: number;
  /** Messages of one publisher whose acknowledgement waits, before it is read no further. */
  readonly maxUnsettled: number;
  /** Bytes that are kept of a client that waits for an answer, and of answers that it does not read. */
  readonly maxBuffered: number;
}

export const DEFAULT_LIMITS: BrokerLimits = {
  ...DEFAULT_CAPABILITIES,
  maximumPacketSize: 16 * 1024 * 1024,
  maxConnections: 100_000,
  maxSessions: 1_000_000,
  connectTimeout: 10_000,
  maxTopicLength: 65_535,
  maxTopicLevels: 200,
  maxSubscriptions: 100_000,
  maxQueuedMessages: 100_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  overflow: "backpressure",
  maxRetainedMessages: 1_000_000,
  maxRetainedBytes: 1024 * 1024 * 1024,
  messageRate: 0,
  byteRate: 0,
  connectionRate: 0,
  maxUnsettled: 2_000,
  maxBuffered: 1024 * 1024,
};

/** What of the limits holds for sessions, whether their clients are connected or not. */
export function sessionLimitsOf({ maxQueuedMessages, maxQueuedBytes, overflow }: BrokerLimits): SessionLimits {
  return { maxQueuedMessages: bound(maxQueuedMessages), maxQueuedBytes: bound(maxQueuedBytes), overflow };
}

const bound = (limit: number): number => (limit === 0 ? Number.POSITIVE_INFINITY : limit);

export type ListenerOptions = (ListenerConfig | { readonly type: "external" }) & {
  /** Connections of this listener; 0 or absent: no limit. */
  readonly maxConnections?: number;
  /** Names of the plugins that are asked about clients of this listener; absent: all. */
  readonly plugins?: readonly string[];
  /**
   * What differs from the broker's limits. Those of queues hold for the sessions whose clients came by this listener last,
   * also when these are gone; `maxConnections`, `maxSessions` and those of retained messages are the broker's alone.
   */
  readonly limits?: Partial<BrokerLimits>;
};

export interface SessionPolicy {
  /** Seconds that a session without Clean Session lives on before MQTT 5 could say; Infinity: for ever. */
  readonly defaultExpiry: Seconds;
  /** The longest expiry that a client gets. Seconds. */
  readonly maximumExpiry: Seconds;
}

export interface SysOptions {
  /** Seconds between two publications; 0 switches `$SYS` off. */
  readonly interval: Seconds;
  readonly names: "amqtt" | "mosquitto" | "both";
}

export interface BrokerOptions {
  /** By name. Each may be of any type; `external` is for `broker.accept`. */
  readonly listeners?: Readonly<Record<string, ListenerOptions>>;
  /** Without a plugin that authenticates nobody enters. */
  readonly plugins?: readonly Plugin[];
  /** Where sessions and retained messages outlive the process; absent: nowhere. */
  readonly store?: Store;
  /** Other brokers that act as one with this one. Each client has one of them that serves it: see `placement`. */
  readonly bus?: ClusterBus;
  /** Which broker serves which client; absent: this one serves all that it accepts. */
  readonly placement?: Placement;
  readonly limits?: Partial<BrokerLimits>;
  readonly session?: Partial<SessionPolicy>;
  readonly shared?: { readonly strategy: ShareStrategy };
  readonly sys?: Partial<SysOptions>;
  /** Milliseconds that a plugin's promise may take. */
  readonly hookTimeout?: number;
  /** Given to MQTT 5 clients that ask for Response Information: a topic prefix they may use. */
  readonly responseInformation?: (clientId: string) => string | undefined;
  readonly logger?: Logger;
  readonly clock?: Clock;
}
