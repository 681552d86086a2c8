// The shape of every packet, in the words of MQTT 5.0 chapter 3. In memory everything is MQTT 5: packets of MQTT 3.1 and
// 3.1.1 decode to the same types, with the MQTT 5 reason code that means the same and without properties.
import type { ReasonCode } from "./reason-code.ts";

/** The protocol level of CONNECT: 3 is MQTT 3.1, 4 is MQTT 3.1.1, 5 is MQTT 5.0. */
export type ProtocolVersion = 3 | 4 | 5;
export type QoS = 0 | 1 | 2;
/** 0: send retained messages at subscribe; 1: only for a new subscription; 2: never. [MQTT5 3.8.3.1] */
export type RetainHandling = 0 | 1 | 2;
/** Name and value, in the order they were sent; a name may occur again. */
export type UserProperties = readonly (readonly [name: string, value: string])[];

export interface PublishProperties {
  payloadFormatIndicator?: 0 | 1;
  /** Seconds. */
  messageExpiryInterval?: number;
  topicAlias?: number;
  responseTopic?: string;
  correlationData?: Uint8Array;
  userProperties?: UserProperties;
  subscriptionIdentifiers?: readonly number[];
  contentType?: string;
}

export interface WillProperties {
  /** Seconds. */
  willDelayInterval?: number;
  payloadFormatIndicator?: 0 | 1;
  /** Seconds. */
  messageExpiryInterval?: number;
  contentType?: string;
  responseTopic?: string;
  correlationData?: Uint8Array;
  userProperties?: UserProperties;
}

export interface Will {
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  properties?: WillProperties;
}

export interface ConnectProperties {
  /** Seconds; 0xFFFFFFFF never expires. */
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  /** Bytes. */
  maximumPacketSize?: number;
  topicAliasMaximum?: number;
  requestResponseInformation?: 0 | 1;
  requestProblemInformation?: 0 | 1;
  userProperties?: UserProperties;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
}

export interface ConnectPacket {
  type: "connect";
  protocolVersion: ProtocolVersion;
  clientId: string;
  /** Clean Session in MQTT 3.1 and 3.1.1. */
  cleanStart: boolean;
  /** Seconds; 0 switches keep-alive off. */
  keepAlive: number;
  username?: string;
  password?: Uint8Array;
  will?: Will;
  properties?: ConnectProperties;
  /**
   * The client is another broker: the highest bit of the protocol level is set. Not in the standard; Mosquitto's bridges
   * set it in MQTT 3.1 and 3.1.1. Absent for all others.
   */
  bridge?: true;
}

export interface ConnackProperties {
  /** Seconds. */
  sessionExpiryInterval?: number;
  receiveMaximum?: number;
  maximumQoS?: 0 | 1;
  retainAvailable?: 0 | 1;
  /** Bytes. */
  maximumPacketSize?: number;
  assignedClientIdentifier?: string;
  topicAliasMaximum?: number;
  reasonString?: string;
  userProperties?: UserProperties;
  wildcardSubscriptionAvailable?: 0 | 1;
  subscriptionIdentifierAvailable?: 0 | 1;
  sharedSubscriptionAvailable?: 0 | 1;
  /** Seconds. */
  serverKeepAlive?: number;
  responseInformation?: string;
  serverReference?: string;
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
}

export interface ConnackPacket {
  type: "connack";
  sessionPresent: boolean;
  reasonCode: ReasonCode;
  properties?: ConnackProperties;
}

export interface PublishPacket {
  type: "publish";
  topic: string;
  payload: Uint8Array;
  qos: QoS;
  retain: boolean;
  dup: boolean;
  /** Present when qos is above 0. */
  packetId?: number;
  properties?: PublishProperties;
}

/** The properties that any acknowledgement may have. */
export interface AckProperties {
  reasonString?: string;
  userProperties?: UserProperties;
}

interface Ack<Type extends string> {
  type: Type;
  packetId: number;
  reasonCode: ReasonCode;
  properties?: AckProperties;
}
export type PubackPacket = Ack<"puback">;
export type PubrecPacket = Ack<"pubrec">;
export type PubrelPacket = Ack<"pubrel">;
export type PubcompPacket = Ack<"pubcomp">;

export interface Subscription {
  topicFilter: string;
  qos: QoS;
  noLocal: boolean;
  retainAsPublished: boolean;
  retainHandling: RetainHandling;
}

export interface SubscribeProperties {
  subscriptionIdentifier?: number;
  userProperties?: UserProperties;
}

export interface SubscribePacket {
  type: "subscribe";
  packetId: number;
  subscriptions: readonly Subscription[];
  properties?: SubscribeProperties;
}

export interface SubackPacket {
  type: "suback";
  packetId: number;
  reasonCodes: readonly ReasonCode[];
  properties?: AckProperties;
}

export interface UnsubscribePacket {
  type: "unsubscribe";
  packetId: number;
  topicFilters: readonly string[];
  properties?: { userProperties?: UserProperties };
}

export interface UnsubackPacket {
  type: "unsuback";
  packetId: number;
  /** One for each filter; MQTT 3.1 and 3.1.1 send none. */
  reasonCodes: readonly ReasonCode[];
  properties?: AckProperties;
}

export interface PingreqPacket {
  type: "pingreq";
}
export interface PingrespPacket {
  type: "pingresp";
}

export interface DisconnectProperties extends AckProperties {
  /** Seconds; only from the client. */
  sessionExpiryInterval?: number;
  serverReference?: string;
}

export interface DisconnectPacket {
  type: "disconnect";
  reasonCode: ReasonCode;
  properties?: DisconnectProperties;
}

export interface AuthProperties extends AckProperties {
  authenticationMethod?: string;
  authenticationData?: Uint8Array;
}

export interface AuthPacket {
  type: "auth";
  reasonCode: ReasonCode;
  properties?: AuthProperties;
}

export type AckPacket = PubackPacket | PubrecPacket | PubrelPacket | PubcompPacket;
export type Packet =
  | ConnectPacket
  | ConnackPacket
  | PublishPacket
  | AckPacket
  | SubscribePacket
  | SubackPacket
  | UnsubscribePacket
  | UnsubackPacket
  | PingreqPacket
  | PingrespPacket
  | DisconnectPacket
  | AuthPacket;
