// Makes the answers to CONNECT, and the limits of the client that CONNECT contains. [MQTT5 3.1, 3.2]
import {
  type ConnackPacket,
  type ConnackProperties,
  type ConnectPacket,
  encode,
  PacketType,
  ReasonCode,
  toV3Connack,
} from "@wrenmq/codec";
import { type Dialect, dialectOf } from "../dialect.ts";
import type { LinkOptions } from "../session/link.ts";
import type { Seconds } from "../time.ts";
import { announce, type Capabilities } from "./capabilities.ts";
import type { ConnectAccepted, ConnectRefused } from "./effects.ts";
import { sendableCode } from "./sendable-code.ts";

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

/** For a client that gets only a refusal. */
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

/** The effective keep alive, in seconds. Only MQTT 5 has Server Keep Alive; earlier clients keep to theirs. */
export function effectiveKeepAlive(wanted: Seconds, dialect: Dialect, maximum: Seconds): Seconds {
  const isTooLong = maximum > 0 && (wanted === 0 || wanted > maximum);
  return isTooLong && dialect.hasProperties ? maximum : wanted;
}

/** The CONNACK of an accepted client, as bytes. */
export function acceptance(
  answer: ConnectAccepted,
  dialect: Dialect,
  capabilities: Capabilities,
  serverKeepAlive: Seconds | undefined,
  authenticationMethod: string | undefined,
): Uint8Array {
  const sessionPresent = answer.sessionPresent && dialect.hasSessionPresent;
  const { assignedClientId, sessionExpiryInterval, responseInformation, authenticationData, userProperties } = answer;
  const isPlain =
    assignedClientId === undefined &&
    sessionExpiryInterval === undefined &&
    serverKeepAlive === undefined &&
    responseInformation === undefined &&
    authenticationMethod === undefined &&
    authenticationData === undefined &&
    userProperties === undefined;
  if (isPlain || !dialect.hasProperties) return plainAcceptance(dialect, capabilities, sessionPresent);
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
  return encode({ type: "connack", sessionPresent, reasonCode: ReasonCode.Success, properties }, dialect.version);
}

/** Bytes of the smallest CONNACK that lets a client in. */
export function smallestAcceptance(dialect: Dialect, capabilities: Capabilities): number {
  return plainAcceptance(dialect, capabilities, false).length;
}

/** By dialect, session present or not. */
type PlainAcceptances = Map<Dialect, [absent: Uint8Array, present: Uint8Array]>;
const plainAcceptances = new WeakMap<Capabilities, PlainAcceptances>();

/** Most clients get the same CONNACK: it is encoded once, for when they all connect at the same time. */
function plainAcceptance(dialect: Dialect, capabilities: Capabilities, sessionPresent: boolean): Uint8Array {
  let known = plainAcceptances.get(capabilities);
  if (known === undefined) {
    known = new Map();
    plainAcceptances.set(capabilities, known);
  }
  let bytes = known.get(dialect);
  if (bytes === undefined) {
    const properties = dialect.hasProperties ? announce(capabilities) : undefined;
    const encoded = (present: boolean): Uint8Array =>
      encode(
        { type: "connack", sessionPresent: present, reasonCode: ReasonCode.Success, ...(properties && { properties }) },
        dialect.version,
      );
    bytes = [encoded(false), encoded(true)];
    known.set(dialect, bytes);
  }
  return bytes[sessionPresent ? 1 : 0];
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
