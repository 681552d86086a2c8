// CONNECT. It contains the version of itself and of the whole connection. [MQTT5 3.1]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, MqttError, malformed, PacketRangeError, violation } from "../errors.ts";
import type { ConnectPacket, ConnectProperties, ProtocolVersion, QoS, Will, WillProperties } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, WILL, writeProperties } from "../properties.ts";
import { ReasonCode } from "../reason-code.ts";

/** In the protocol level: the client is a bridge. */
const BRIDGE = 0x80;
const RESERVED = 0x01;
const CLEAN_START = 0x02;
const WILL_FLAG = 0x04;
const WILL_QOS_SHIFT = 3;
const WILL_RETAIN = 0x20;
const PASSWORD = 0x40;
const USERNAME = 0x80;

/** @param header the flags of the fixed header, which mean nothing in MQTT 3.1 and have to be 0 later [MQTT-2.1.3-1] */
export function decodeConnect(reader: ByteReader, header: number): ConnectPacket {
  const level = readLevel(reader);
  const version = (level & ~BRIDGE) as ProtocolVersion;
  if (header !== 0 && version > 3) throw malformed("the flags of the fixed header are wrong");
  const flags = reader.uint8();
  checkFlags(flags, version);
  const keepAlive = reader.uint16();
  const properties = version === 5 ? readProperties<ConnectProperties>(reader, PacketType.Connect) : undefined;
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw violation("Authentication Data without Authentication Method");
  }
  const packet: ConnectPacket = {
    type: "connect",
    protocolVersion: version,
    clientId: reader.string(),
    cleanStart: (flags & CLEAN_START) !== 0,
    keepAlive,
  };
  if (level !== version) packet.bridge = true;
  if (properties !== undefined) packet.properties = properties;
  if ((flags & WILL_FLAG) !== 0) packet.will = readWill(reader, flags, version);
  // In MQTT 3.1 the Remaining Length outranks these flags: a flag without its field is valid there. [MQTT 3.1, 3.1]
  if ((flags & USERNAME) !== 0 && (version > 3 || !reader.atEnd)) packet.username = reader.string();
  if ((flags & PASSWORD) !== 0 && (version > 3 || !reader.atEnd)) packet.password = reader.binary();
  return packet;
}

/** The version, perhaps with the bit of a bridge. */
function readLevel(reader: ByteReader): number {
  const name = reader.string();
  const level = reader.uint8();
  const version = level & ~BRIDGE;
  if (name === "MQTT" && (version === 4 || version === 5)) return level;
  if (name === "MQIsdp" && version === 3) return level;
  throw new MqttError(ReasonCode.UnsupportedProtocolVersion, `unknown protocol "${name.slice(0, 16)}", level ${level}`);
}

function checkFlags(flags: number, version: ProtocolVersion): void {
  // MQTT 3.1 does not use it, and does not require a check.
  if ((flags & RESERVED) !== 0 && version > 3) throw malformed("the reserved Connect Flag is set"); // [MQTT-3.1.2-3]
  const willBits = flags & (WILL_RETAIN | (3 << WILL_QOS_SHIFT));
  if ((flags & WILL_FLAG) !== 0) {
    if (((flags >> WILL_QOS_SHIFT) & 3) === 3) throw malformed("the Will has QoS 3");
  } else if (willBits !== 0 && version > 3) {
    // MQTT 3.1 disregards them. [MQTT 3.1, 3.1]
    throw malformed("Will QoS or Will Retain without Will Flag");
  }
  if (version < 5 && (flags & PASSWORD) !== 0 && (flags & USERNAME) === 0) {
    throw malformed("a password without a user name"); // [MQTT-3.1.2-22] of 3.1.1
  }
}

function readWill(reader: ByteReader, flags: number, version: ProtocolVersion): Will {
  const properties = version === 5 ? readProperties<WillProperties>(reader, WILL) : undefined;
  const will: Will = {
    topic: reader.string(),
    payload: reader.binary(),
    qos: ((flags >> WILL_QOS_SHIFT) & 3) as QoS,
    retain: (flags & WILL_RETAIN) !== 0,
  };
  if (properties !== undefined) will.properties = properties;
  return will;
}

export function encodeConnect(writer: ByteWriter, packet: ConnectPacket): void {
  const { protocolVersion: version, will, username, password, properties } = packet;
  if (version !== 3 && version !== 4 && version !== 5) throw new PacketRangeError("protocolVersion is 3, 4 or 5");
  if (version < 5 && password !== undefined && username === undefined) {
    throw new InvalidPacketError("before MQTT 5.0 a password needs a username");
  }
  if (properties?.authenticationData !== undefined && properties.authenticationMethod === undefined) {
    throw new InvalidPacketError("authenticationData needs an authenticationMethod");
  }
  let flags = packet.cleanStart ? CLEAN_START : 0;
  if (will !== undefined) {
    if (will.qos !== 0 && will.qos !== 1 && will.qos !== 2)
      throw new PacketRangeError("the QoS of a Will is 0, 1 or 2");
    flags |= WILL_FLAG | (will.qos << WILL_QOS_SHIFT) | (will.retain ? WILL_RETAIN : 0);
  }
  if (username !== undefined) flags |= USERNAME;
  if (password !== undefined) flags |= PASSWORD;
  writer.string(version === 3 ? "MQIsdp" : "MQTT");
  writer.uint8(packet.bridge === true ? version | BRIDGE : version);
  writer.uint8(flags);
  writer.uint16(packet.keepAlive);
  if (version === 5) writeProperties(writer, properties, PacketType.Connect);
  writer.string(packet.clientId);
  if (will !== undefined) {
    if (version === 5) writeProperties(writer, will.properties, WILL);
    writer.string(will.topic);
    writer.binary(will.payload);
  }
  if (username !== undefined) writer.string(username);
  if (password !== undefined) writer.binary(password);
}
