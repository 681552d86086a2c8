// UNSUBACK, which has reason codes only in MQTT 5.0. [MQTT5 3.11]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, violation } from "../errors.ts";
import type { AckProperties, ProtocolVersion, UnsubackPacket } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../properties.ts";
import type { ReasonCode } from "../reason-code.ts";
import { checkReasonCode, readReasonCode } from "./acks.ts";

export function decodeUnsuback(reader: ByteReader, version: ProtocolVersion): UnsubackPacket {
  const packetId = reader.packetId();
  if (version < 5) return { type: "unsuback", packetId, reasonCodes: [] };
  const properties = readProperties<AckProperties>(reader, PacketType.Unsuback);
  if (reader.atEnd) throw violation("UNSUBACK without Reason Code");
  const reasonCodes: ReasonCode[] = [];
  while (!reader.atEnd) reasonCodes.push(readReasonCode(reader, PacketType.Unsuback));
  const packet: UnsubackPacket = { type: "unsuback", packetId, reasonCodes };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeUnsuback(writer: ByteWriter, packet: UnsubackPacket, version: ProtocolVersion): void {
  writer.packetId(packet.packetId);
  for (const code of packet.reasonCodes) checkReasonCode(code, PacketType.Unsuback);
  if (version < 5) return;
  if (packet.reasonCodes.length === 0) throw new InvalidPacketError("UNSUBACK needs a reason code");
  writeProperties(writer, packet.properties, PacketType.Unsuback);
  for (const code of packet.reasonCodes) writer.uint8(code);
}
