// The configuration's names of limits → the broker's.
import type { BrokerLimits } from "@wrenmq/broker";
import type { Limits } from "@wrenmq/config";

const NAMES = {
  connectTimeoutMs: "connectTimeout",
  maximumPacketSize: "maximumPacketSize",
  maxTopicLength: "maxTopicLength",
  maxTopicLevels: "maxTopicLevels",
  maxSubscriptionsPerClient: "maxSubscriptions",
  receiveMaximum: "receiveMaximum",
  maxInflight: "maxInflight",
  maxQueuedMessages: "maxQueuedMessages",
  maxQueuedBytes: "maxQueuedBytes",
  overflow: "overflow",
  backpressureTimeoutMs: "backpressureTimeout",
  maxRetainedMessages: "maxRetainedMessages",
  maxRetainedBytes: "maxRetainedBytes",
  topicAliasMaximum: "topicAliasMaximum",
  maximumQoS: "maximumQoS",
  messageRate: "messageRate",
  byteRate: "byteRate",
  connectionRatePerAddress: "connectionRate",
  maxConnections: "maxConnections",
  maxSessions: "maxSessions",
  keepAliveMaximumSeconds: "keepAliveMaximum",
  retainAvailable: "retainAvailable",
  wildcardSubscriptionAvailable: "wildcardSubscriptionAvailable",
  subscriptionIdentifierAvailable: "subscriptionIdentifierAvailable",
  sharedSubscriptionAvailable: "sharedSubscriptionAvailable",
} as const satisfies Readonly<Record<keyof Limits, keyof BrokerLimits>>;

export function limitsToOptions(limits: Partial<Limits>): Partial<BrokerLimits> {
  const found = Object.entries(limits).map(([name, value]) => [NAMES[name as keyof Limits], value]);
  return Object.fromEntries(found) as Partial<BrokerLimits>;
}
