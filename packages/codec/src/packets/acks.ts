// PUBACK, PUBREC, PUBREL and PUBCOMP, which have one format. [MQTT5 3.4 to 3.7]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, violation } from "../errors.ts";
import type { AckPacket, AckProperties, ProtocolVersion } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { hasProperties, readProperties, writeProperties } from "../properties.ts";
import { isReasonCodeAllowed, ReasonCode } from "../reason-code.ts";

const TYPES = {
  puback: PacketType.Puback,
  pubrec: PacketType.Pubrec,
  pubrel: PacketType.Pubrel,
  pubcomp: PacketType.Pubcomp,
} as const;

export function decodeAck(reader: ByteReader, type: AckPacket["type"], version: ProtocolVersion): AckPacket {
  const packet: AckPacket = { type, packetId: reader.packetId(), reasonCode: ReasonCode.Success };
  // Reason Code and properties may be left out, the properties also alone. [MQTT5 3.4.2.1] [MQTT5 3.4.2.2.1]
  if (version < 5 || reader.atEnd) return packet;
  packet.reasonCode = readReasonCode(reader, TYPES[type]);
  if (reader.atEnd) return packet;
  const properties = readProperties<AckProperties>(reader, TYPES[type]);
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeAck(writer: ByteWriter, packet: AckPacket, version: ProtocolVersion): void {
  checkReasonCode(packet.reasonCode, TYPES[packet.type]);
  writer.packetId(packet.packetId);
  if (version < 5) return;
  const withProperties = hasProperties(packet.properties);
  if (!withProperties && packet.reasonCode === ReasonCode.Success) return;
  writer.uint8(packet.reasonCode);
  if (withProperties) writeProperties(writer, packet.properties, TYPES[packet.type]);
}

/** @throws MqttError 0x82 for a code that this packet may not carry */
export function readReasonCode(reader: ByteReader, type: PacketType): ReasonCode {
  const code = reader.uint8();
  if (!isReasonCodeAllowed(code, type)) {
    throw violation(`Reason Code 0x${code.toString(16)} is not allowed in this packet`);
  }
  return code;
}

/** @throws InvalidPacketError for a code that this packet may not carry */
export function checkReasonCode(code: number, type: PacketType): void {
  if (!isReasonCodeAllowed(code, type)) {
    throw new InvalidPacketError(`reason code 0x${code.toString(16)} is not allowed in this packet`);
  }
}
