// CONNACK. [MQTT5 3.2]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, malformed, violation } from "../errors.ts";
import type { ConnackPacket, ConnackProperties, ProtocolVersion } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../properties.ts";
import { fromV3Connack, ReasonCode, toV3Connack } from "../reason-code.ts";
import { checkReasonCode, readReasonCode } from "./acks.ts";

export function decodeConnack(reader: ByteReader, version: ProtocolVersion): ConnackPacket {
  const flags = reader.uint8();
  if (flags > 1) throw malformed("a reserved Connect Acknowledge Flag is set"); // [MQTT-3.2.2-1]
  const reasonCode = version === 5 ? readReasonCode(reader, PacketType.Connack) : fromV3Connack(reader.uint8());
  if (reasonCode === undefined) throw violation("a reserved Connect Return code");
  if (flags === 1 && reasonCode !== ReasonCode.Success) throw violation("Session Present in a refusal");
  const packet: ConnackPacket = { type: "connack", sessionPresent: flags === 1, reasonCode };
  const properties = version === 5 ? readProperties<ConnackProperties>(reader, PacketType.Connack) : undefined;
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeConnack(writer: ByteWriter, packet: ConnackPacket, version: ProtocolVersion): void {
  const { reasonCode, sessionPresent } = packet;
  checkReasonCode(reasonCode, PacketType.Connack);
  if (sessionPresent && reasonCode !== ReasonCode.Success) {
    throw new InvalidPacketError("sessionPresent in a refusal"); // [MQTT-3.2.2-6]
  }
  // MQTT 3.1 has no Session Present: the byte is reserved.
  writer.uint8(sessionPresent && version > 3 ? 1 : 0);
  if (version === 5) {
    writer.uint8(reasonCode);
    writeProperties(writer, packet.properties, PacketType.Connack);
  } else {
    const returnCode = toV3Connack(reasonCode);
    if (returnCode === undefined) {
      throw new InvalidPacketError(`reason code 0x${reasonCode.toString(16)} has no return code before MQTT 5.0`);
    }
    writer.uint8(returnCode);
  }
}
