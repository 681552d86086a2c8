// PUBLISH, the packet that has to be fast: its size is computed first, then it is written into one exact allocation.
// [MQTT5 3.3]

import { allocate } from "../allocate.ts";
import { ANY_NUMBER, ByteReader } from "../byte-reader.ts";
import {
  ByteWriter,
  checkInteger,
  MAX_VARIABLE_BYTE_INTEGER,
  variableByteIntegerLength,
  writeVariableByteInteger,
} from "../byte-writer.ts";
import { InvalidPacketError, malformed, PacketRangeError, violation } from "../errors.ts";
import type { ProtocolVersion, PublishPacket, PublishProperties, QoS } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { hasProperties, readProperties, readPropertyList, writePropertyList } from "../properties.ts";
import { utf8Length, writeUtf8 } from "../utf8.ts";

const NO_BYTES: Uint8Array = new Uint8Array(0);

export function decodePublish(reader: ByteReader, flags: number, version: ProtocolVersion): PublishPacket {
  const qos = (flags >> 1) & 3;
  // MQTT 3.1 defines DUP for QoS 1 and 2 only, and does not require a check at QoS 0.
  const dup = (flags & 8) !== 0 && (qos > 0 || version > 3);
  const retain = (flags & 1) !== 0;
  if (qos === 3) throw malformed("PUBLISH has QoS 3"); // [MQTT-3.3.1-4]
  if (dup && qos === 0) throw malformed("PUBLISH has DUP with QoS 0"); // [MQTT-3.3.1-2]
  const topic = reader.string();
  const packetId = qos > 0 ? reader.packetId() : 0;
  const properties = version === 5 ? readProperties<PublishProperties>(reader, PacketType.Publish) : undefined;
  if (topic === "" && version === 5 && properties?.topicAlias === undefined) {
    throw violation("PUBLISH has neither Topic Name nor Topic Alias");
  }
  const packet: PublishPacket = { type: "publish", topic, payload: reader.rest(), qos: qos as QoS, retain, dup };
  if (qos > 0) packet.packetId = packetId;
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

/** Checks what the fields contradict, and returns the lower four bits of the first byte. */
function publishFlags(packet: PublishPacket, version: ProtocolVersion): number {
  const { qos, packetId } = packet;
  if (qos !== 0 && qos !== 1 && qos !== 2) throw new PacketRangeError("the QoS of a PUBLISH is 0, 1 or 2");
  if (typeof packet.topic !== "string") throw new InvalidPacketError("the topic of a PUBLISH is a string");
  if (!(packet.payload instanceof Uint8Array)) throw new InvalidPacketError("the payload of a PUBLISH is a Uint8Array");
  if (qos === 0) {
    if (packetId !== undefined) throw new InvalidPacketError("PUBLISH with QoS 0 has no packetId");
    if (packet.dup) throw new InvalidPacketError("PUBLISH with QoS 0 has no dup"); // [MQTT-3.3.1-2]
  } else {
    if (packetId === undefined) throw new InvalidPacketError(`PUBLISH with QoS ${qos} needs a packetId`);
    if (packetId === 0) throw new PacketRangeError("the Packet Identifier is 0");
    checkInteger(packetId, 0xffff);
  }
  if (packet.topic === "" && version === 5 && packet.properties?.topicAlias === undefined) {
    throw new InvalidPacketError("PUBLISH needs a topic or a topicAlias");
  }
  return (packet.dup ? 8 : 0) | (qos << 1) | (packet.retain ? 1 : 0);
}

/** Without `writer` the result is the packet in bytes of its own, with `writer` it is the writer's buffer. */
export function encodePublish(packet: PublishPacket, version: ProtocolVersion, writer?: ByteWriter): Uint8Array {
  const flags = publishFlags(packet, version);
  const properties = version === 5 ? (collectProperties(packet.properties)?.view() ?? NO_BYTES) : undefined;
  // Most topics are ASCII: taking that for granted first spares a pass over the topic to count its bytes.
  return (
    writePublish(packet, flags, packet.topic.length, properties, writer) ??
    (writePublish(packet, flags, utf8Length(packet.topic), properties, writer) as Uint8Array)
  );
}

/** Undefined, with nothing written, if the topic does not have `topicLength` bytes. */
function writePublish(
  { topic, payload, packetId }: PublishPacket,
  flags: number,
  topicLength: number,
  properties: Uint8Array | undefined,
  writer: ByteWriter | undefined,
): Uint8Array | undefined {
  if (topicLength > 0xffff) throw new PacketRangeError("the topic of a PUBLISH has more than 65,535 bytes");
  let remaining = 2 + topicLength + payload.length;
  if (packetId !== undefined) remaining += 2;
  if (properties !== undefined) remaining += variableByteIntegerLength(properties.length) + properties.length;
  if (remaining > MAX_VARIABLE_BYTE_INTEGER) throw new PacketRangeError("the packet is too large for MQTT");

  const total = 1 + variableByteIntegerLength(remaining) + remaining;
  const start = writer === undefined ? 0 : writer.length;
  const bytes = writer === undefined ? allocate(total) : writer.extend(total);
  bytes[start] = (PacketType.Publish << 4) | flags;
  let at = writeVariableByteInteger(bytes, start + 1, remaining);
  bytes[at] = topicLength >> 8;
  bytes[at + 1] = topicLength;
  const topicEnd = at + 2 + topicLength;
  at = writeUtf8(bytes, at + 2, topic);
  if (at !== topicEnd) {
    // What a longer topic wrote past its room lies beyond the writer's length, or nowhere.
    writer?.truncate(start);
    return undefined;
  }
  if (packetId !== undefined) {
    bytes[at] = packetId >> 8;
    bytes[at + 1] = packetId;
    at += 2;
  }
  if (properties !== undefined) {
    at = writeVariableByteInteger(bytes, at, properties.length);
    if (properties.length > 0) bytes.set(properties, at);
    at += properties.length;
  }
  bytes.set(payload, at);
  return bytes;
}

/** Properties are collected here before their length is known; not kept once it has grown large. */
let scratch: ByteWriter | undefined;
const KEPT_CAPACITY = 16_384;

function collectProperties(properties: PublishProperties | undefined): ByteWriter | undefined {
  if (properties === undefined || !hasProperties(properties)) return undefined;
  const writer = scratch ?? new ByteWriter();
  scratch = undefined;
  writer.truncate(0);
  writePropertyList(writer, properties, PacketType.Publish);
  if (writer.capacity <= KEPT_CAPACITY) scratch = writer;
  return writer;
}

/**
 * The properties of a PUBLISH as bytes, without the Property Length in front.
 * @throws InvalidPacketError, PacketRangeError for values that PUBLISH cannot have
 */
export function encodePublishProperties(properties: PublishProperties | undefined): Uint8Array {
  return collectProperties(properties)?.toBytes() ?? NO_BYTES;
}

/**
 * Reads the properties of a PUBLISH from `start`, the first byte after the Property Length, up to `end`. Binary values
 * are views of `bytes`.
 * @param maxItems most user properties
 * @throws MqttError 0x81, 0x82, 0x94, or 0x97 for more than `maxItems`
 */
export function decodePublishProperties(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxItems: number = ANY_NUMBER,
): PublishProperties {
  return readPropertyList(new ByteReader(bytes, start, end, maxItems), PacketType.Publish);
}
