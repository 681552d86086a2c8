// UNSUBSCRIBE. [MQTT5 3.10]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, violation } from "../errors.ts";
import type { ProtocolVersion, UnsubscribePacket } from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../properties.ts";
import { readTopicFilter, writeTopicFilter } from "./subscribe.ts";

type UnsubscribeProperties = NonNullable<UnsubscribePacket["properties"]>;

export function decodeUnsubscribe(reader: ByteReader, version: ProtocolVersion): UnsubscribePacket {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties<UnsubscribeProperties>(reader, PacketType.Unsubscribe) : undefined;
  if (reader.atEnd) throw violation("UNSUBSCRIBE without Topic Filter"); // [MQTT-3.10.3-2]
  const topicFilters: string[] = [];
  while (!reader.atEnd) topicFilters.push(readTopicFilter(reader));
  const packet: UnsubscribePacket = { type: "unsubscribe", packetId, topicFilters };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

export function encodeUnsubscribe(writer: ByteWriter, packet: UnsubscribePacket, version: ProtocolVersion): void {
  if (packet.topicFilters.length === 0) throw new InvalidPacketError("UNSUBSCRIBE needs a topic filter");
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, PacketType.Unsubscribe);
  for (const topicFilter of packet.topicFilters) writeTopicFilter(writer, topicFilter);
}
