// SUBACK. [MQTT5 3.9]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, violation } from "../errors.ts";
import type { AckProperties, ProtocolVersion, SubackPacket } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../properties.ts";
import { ReasonCode, toV3Suback } from "../reason-code.ts";
import { checkReasonCode, readReasonCode } from "./acks.ts";

export function decodeSuback(reader: ByteReader, version: ProtocolVersion): SubackPacket {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties<AckProperties>(reader, PacketType.Suback) : undefined;
  if (reader.atEnd) throw violation("SUBACK without Reason Code");
  const reasonCodes: ReasonCode[] = [];
  while (!reader.atEnd) {
    const code = readReasonCode(reader, PacketType.Suback);
    // Before MQTT 5.0 there is one failure, 0x80. [MQTT-3.9.3-2] of 3.1.1
    if (version < 5 && code > ReasonCode.UnspecifiedError) throw violation("a reserved SUBACK return code");
    reasonCodes.push(code);
  }
  const packet: SubackPacket = { type: "suback", packetId, reasonCodes };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeSuback(writer: ByteWriter, packet: SubackPacket, version: ProtocolVersion): void {
  if (packet.reasonCodes.length === 0) throw new InvalidPacketError("SUBACK needs a reason code");
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, PacketType.Suback);
  for (const code of packet.reasonCodes) {
    checkReasonCode(code, PacketType.Suback);
    writer.uint8(version === 5 ? code : toV3Suback(code));
  }
}
