// AUTH, only in MQTT 5.0. [MQTT5 3.15]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, violation } from "../errors.ts";
import type { AuthPacket, AuthProperties } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { hasProperties, readProperties, writeProperties } from "../properties.ts";
import { ReasonCode } from "../reason-code.ts";
import { checkReasonCode, readReasonCode } from "./acks.ts";

export function decodeAuth(reader: ByteReader): AuthPacket {
  // The form without anything is Success without properties, and so without a method. [MQTT5 3.15.2.1]
  if (reader.atEnd) return { type: "auth", reasonCode: ReasonCode.Success };
  const reasonCode = readReasonCode(reader, PacketType.Auth);
  const properties = reader.atEnd ? undefined : readProperties<AuthProperties>(reader, PacketType.Auth);
  if (properties?.authenticationMethod === undefined) throw violation("AUTH without Authentication Method");
  return { type: "auth", reasonCode, properties };
}

export function encodeAuth(writer: ByteWriter, packet: AuthPacket): void {
  checkReasonCode(packet.reasonCode, PacketType.Auth);
  if (packet.reasonCode === ReasonCode.Success && !hasProperties(packet.properties)) return;
  if (packet.properties?.authenticationMethod === undefined) {
    throw new InvalidPacketError("AUTH needs an authenticationMethod"); // [MQTT5 3.15.2.2.2]
  }
  writer.uint8(packet.reasonCode);
  writeProperties(writer, packet.properties, PacketType.Auth);
}
