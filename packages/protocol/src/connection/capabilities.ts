// What this server offers and limits: announced to MQTT 5 clients in CONNACK, and enforced for every client.
import type { ConnackProperties } from "@wrenmq/codec";
import { DEFAULT_LIMITS, LARGEST_PACKET, type Limits } from "@wrenmq/limits";

/** The limits of the broker that a connection uses. */
export type Capabilities = Pick<
  Limits,
  | "maximumQoS"
  | "retainAvailable"
  | "maximumPacketSize"
  | "receiveMaximum"
  | "maxInflight"
  | "topicAliasMaximum"
  | "outboundTopicAliasMaximum"
  | "wildcardSubscriptionAvailable"
  | "sharedSubscriptionAvailable"
  | "subscriptionIdentifierAvailable"
  | "keepAliveMaximum"
  | "keepAliveExtra"
  | "maxClientIdLength"
  | "maxTopicLength"
  | "maxTopicLevels"
  | "highWater"
>;

/** A machine of its own takes packets of any size; a broker has a default for them. */
export const DEFAULT_CAPABILITIES: Capabilities = { ...DEFAULT_LIMITS, maximumPacketSize: LARGEST_PACKET };

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
