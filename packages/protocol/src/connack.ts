// The answers to CONNECT as packets, and what CONNECT says about the way out. [MQTT5 3.1, 3.2]
import {
  type ConnackPacket,
  type ConnackProperties,
  type ConnectPacket,
  PacketType,
  ReasonCode,
  toV3Connack,
} from "@wrenmq/codec";
import { announce, type Capabilities } from "./capabilities.ts";
import { type Dialect, dialectOf } from "./dialect.ts";
import type { ConnectAccepted, ConnectRefused } from "./effects.ts";
import type { LinkOptions } from "./link.ts";
import { sendableCode } from "./sendable-code.ts";
import type { Seconds } from "./time.ts";

const UNLIMITED = 268_435_460;

/** What the client announced in CONNECT, cut to what the server is willing to do. */
export function linkOptions(packet: ConnectPacket, capabilities: Capabilities): LinkOptions {
  const { maximumPacketSize, receiveMaximum, topicAliasMaximum, requestProblemInformation } = packet.properties ?? {};
  return {
    dialect: dialectOf(packet.protocolVersion),
    maximumPacketSize: maximumPacketSize ?? UNLIMITED,
    receiveMaximum: Math.min(receiveMaximum ?? 65_535, capabilities.maxInflight),
    topicAliasMaximum: Math.min(topicAliasMaximum ?? 0, capabilities.outboundTopicAliasMaximum),
    problemInformation: requestProblemInformation !== 0,
    highWater: capabilities.highWater,
  };
}

/** For a client that will hear no more than a refusal. */
export function refusalLinkOptions(dialect: Dialect): LinkOptions {
  return {
    dialect,
    maximumPacketSize: UNLIMITED,
    receiveMaximum: 0,
    topicAliasMaximum: 0,
    problemInformation: true,
    highWater: 0,
  };
}

/** The keep-alive that will hold, in seconds. Only MQTT 5 can be told to be quicker; earlier clients keep to theirs. */
export function effectiveKeepAlive(wanted: Seconds, dialect: Dialect, maximum: Seconds): Seconds {
  const isTooLong = maximum > 0 && (wanted === 0 || wanted > maximum);
  return isTooLong && dialect.hasProperties ? maximum : wanted;
}

export function acceptance(
  answer: ConnectAccepted,
  dialect: Dialect,
  capabilities: Capabilities,
  serverKeepAlive: Seconds | undefined,
  authenticationMethod: string | undefined,
): ConnackPacket {
  const sessionPresent = answer.sessionPresent && dialect.hasSessionPresent;
  const packet: ConnackPacket = { type: "connack", sessionPresent, reasonCode: ReasonCode.Success };
  if (!dialect.hasProperties) return packet;
  const { assignedClientId, sessionExpiryInterval, responseInformation, authenticationData, userProperties } = answer;
  const properties: ConnackProperties = {
    ...announce(capabilities),
    ...(assignedClientId === undefined ? {} : { assignedClientIdentifier: assignedClientId }), // [MQTT-3.2.2-16]
    ...(sessionExpiryInterval === undefined ? {} : { sessionExpiryInterval }),
    ...(serverKeepAlive === undefined ? {} : { serverKeepAlive }),
    ...(responseInformation === undefined ? {} : { responseInformation }),
    ...(authenticationMethod === undefined ? {} : { authenticationMethod }), // [MQTT-4.12.0-5]
    ...(authenticationData === undefined ? {} : { authenticationData }),
    ...(userProperties === undefined ? {} : { userProperties }),
  };
  return { ...packet, properties };
}

/** undefined: before MQTT 5 there are five refusals; for all else the connection is only closed. [MQTT-3.2.2-6] */
export function refusal(answer: ConnectRefused, dialect: Dialect): ConnackPacket | undefined {
  const { reasonCode, reasonString, serverReference } = answer;
  if (!dialect.hasProperties && toV3Connack(reasonCode) === undefined) return undefined;
  if (!dialect.hasProperties) return { type: "connack", sessionPresent: false, reasonCode };
  const packet: ConnackPacket = {
    type: "connack",
    sessionPresent: false,
    reasonCode: sendableCode(reasonCode, PacketType.Connack),
  };
  return {
    ...packet,
    properties: {
      ...(reasonString === undefined ? {} : { reasonString }),
      ...(serverReference === undefined ? {} : { serverReference }),
    },
  };
}
