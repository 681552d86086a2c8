// What this server offers and limits: announced to MQTT 5 clients in CONNACK, enforced for every client.
import type { ConnackProperties, QoS } from "@wrenmq/codec";
import type { Seconds } from "../time.ts";

export interface Capabilities {
  readonly maximumQoS: QoS;
  readonly retainAvailable: boolean;
  /** Bytes, fixed header included, that a client may send. */
  readonly maximumPacketSize: number;
  /** QoS 1 and 2 messages that a client may have unacknowledged. */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages that we have unacknowledged towards one client, whatever more it would take. */
  readonly maxInflight: number;
  readonly topicAliasMaximum: number;
  /** Aliases that we set towards one client, whatever more it would take. */
  readonly outboundTopicAliasMaximum: number;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
  readonly subscriptionIdentifierAvailable: boolean;
  /** Longest keep-alive a client may ask for; 0: any, also none. */
  readonly keepAliveMaximum: Seconds;
  /** Seconds on top of one and a half times the keep-alive before a silent client is disconnected. */
  readonly keepAliveExtra: Seconds;
  /** Bytes of a client identifier. */
  readonly maxClientIdLength: number;
  /** Bytes of a topic name or filter. */
  readonly maxTopicLength: number;
  readonly maxTopicLevels: number;
  /** Bytes that may wait for one client before it counts as blocked. */
  readonly highWater: number;
}

export const DEFAULT_CAPABILITIES: Capabilities = {
  maximumQoS: 2,
  retainAvailable: true,
  maximumPacketSize: 268_435_460,
  receiveMaximum: 1_024,
  maxInflight: 16_384,
  topicAliasMaximum: 64,
  outboundTopicAliasMaximum: 16,
  wildcardSubscriptionAvailable: true,
  sharedSubscriptionAvailable: true,
  subscriptionIdentifierAvailable: true,
  keepAliveMaximum: 0,
  keepAliveExtra: 0,
  maxClientIdLength: 65_535,
  maxTopicLength: 65_535,
  maxTopicLevels: 200,
  highWater: 2 * 1024 * 1024,
};

/** The CONNACK properties that announce what differs from the standard's defaults. [MQTT5 3.2.2.3] */
export function announce(capabilities: Capabilities): ConnackProperties {
  return {
    receiveMaximum: capabilities.receiveMaximum,
    ...(capabilities.maximumQoS < 2 ? { maximumQoS: capabilities.maximumQoS as 0 | 1 } : {}),
    ...(capabilities.retainAvailable ? {} : { retainAvailable: 0 as const }),
    maximumPacketSize: capabilities.maximumPacketSize,
    ...(capabilities.topicAliasMaximum > 0 ? { topicAliasMaximum: capabilities.topicAliasMaximum } : {}),
    ...(capabilities.wildcardSubscriptionAvailable ? {} : { wildcardSubscriptionAvailable: 0 as const }),
    ...(capabilities.subscriptionIdentifierAvailable ? {} : { subscriptionIdentifierAvailable: 0 as const }),
    ...(capabilities.sharedSubscriptionAvailable ? {} : { sharedSubscriptionAvailable: 0 as const }),
  };
}
