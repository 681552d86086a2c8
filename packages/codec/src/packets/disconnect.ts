// DISCONNECT, which is empty before MQTT 5.0. [MQTT5 3.14]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { DisconnectPacket, DisconnectProperties, ProtocolVersion } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { hasProperties, readProperties, writeProperties } from "../properties.ts";
import { ReasonCode } from "../reason-code.ts";
import { checkReasonCode, readReasonCode } from "./acks.ts";

export function decodeDisconnect(reader: ByteReader, version: ProtocolVersion): DisconnectPacket {
  const packet: DisconnectPacket = { type: "disconnect", reasonCode: ReasonCode.NormalDisconnection };
  // Reason Code and properties may be left out, the properties also alone. [MQTT5 3.14.2.1] [MQTT5 3.14.2.2.1]
  if (version < 5 || reader.atEnd) return packet;
  packet.reasonCode = readReasonCode(reader, PacketType.Disconnect);
  if (reader.atEnd) return packet;
  const properties = readProperties<DisconnectProperties>(reader, PacketType.Disconnect);
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeDisconnect(writer: ByteWriter, packet: DisconnectPacket, version: ProtocolVersion): void {
  checkReasonCode(packet.reasonCode, PacketType.Disconnect);
  if (version < 5) return;
  const withProperties = hasProperties(packet.properties);
  if (!withProperties && packet.reasonCode === ReasonCode.NormalDisconnection) return;
  writer.uint8(packet.reasonCode);
  if (withProperties) writeProperties(writer, packet.properties, PacketType.Disconnect);
}
