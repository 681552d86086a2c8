// SUBSCRIBE. What a filter may look like is not decided here. [MQTT5 3.8]
import type { ByteReader } from "../byte-reader.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { InvalidPacketError, malformed, PacketRangeError, violation } from "../errors.ts";
import type {
  ProtocolVersion,
  QoS,
  RetainHandling,
  SubscribePacket,
  SubscribeProperties,
  Subscription,
} from "../packet.ts";
import { PacketType } from "../packet-type.ts";
import { readProperties, writeProperties } from "../properties.ts";

export function decodeSubscribe(reader: ByteReader, version: ProtocolVersion): SubscribePacket {
  const packetId = reader.packetId();
  const properties = version === 5 ? readProperties<SubscribeProperties>(reader, PacketType.Subscribe) : undefined;
  if (reader.atEnd) throw violation("SUBSCRIBE without Topic Filter"); // [MQTT-3.8.3-2]
  const subscriptions: Subscription[] = [];
  while (!reader.atEnd) subscriptions.push(readSubscription(reader, version));
  const packet: SubscribePacket = { type: "subscribe", packetId, subscriptions };
  if (properties !== undefined) packet.properties = properties;
  return packet;
}

/** Of SUBSCRIBE and UNSUBSCRIBE. @throws MqttError 0x81 for one without characters [MQTT-4.7.3-1] */
export function readTopicFilter(reader: ByteReader): string {
  reader.item();
  const topicFilter = reader.string();
  if (topicFilter === "") throw malformed("a Topic Filter is empty");
  return topicFilter;
}

/** @throws InvalidPacketError for one without characters */
export function writeTopicFilter(writer: ByteWriter, topicFilter: string): void {
  if (topicFilter === "") throw new InvalidPacketError("a topic filter has at least one character");
  writer.string(topicFilter);
}

function readSubscription(reader: ByteReader, version: ProtocolVersion): Subscription {
  const topicFilter = readTopicFilter(reader);
  // Before MQTT 5.0 all bits but the QoS are reserved; MQTT 3.1 does not require a check.
  const options = version === 3 ? reader.uint8() & 3 : reader.uint8();
  // [MQTT-3.8.3-5], [MQTT-3.8.3-4] of 3.1.1
  if ((options & (version === 5 ? 0xc0 : 0xfc)) !== 0)
    throw malformed("a reserved bit of the Subscription Options is set");
  const qos = options & 3;
  if (qos === 3) throw malformed("a subscription has QoS 3");
  const retainHandling = (options >> 4) & 3;
  if (retainHandling === 3) throw violation("a subscription has Retain Handling 3");
  return {
    topicFilter,
    qos: qos as QoS,
    noLocal: (options & 4) !== 0,
    retainAsPublished: (options & 8) !== 0,
    retainHandling: retainHandling as RetainHandling,
  };
}

export function encodeSubscribe(writer: ByteWriter, packet: SubscribePacket, version: ProtocolVersion): void {
  if (packet.subscriptions.length === 0) throw new InvalidPacketError("SUBSCRIBE needs a subscription");
  writer.packetId(packet.packetId);
  if (version === 5) writeProperties(writer, packet.properties, PacketType.Subscribe);
  for (const { topicFilter, qos, noLocal, retainAsPublished, retainHandling } of packet.subscriptions) {
    if (qos !== 0 && qos !== 1 && qos !== 2) throw new PacketRangeError("the QoS of a subscription is 0, 1 or 2");
    writeTopicFilter(writer, topicFilter);
    if (version < 5) {
      // MQTT 3.1 and 3.1.1 have no other options: they always behave like the defaults of MQTT 5.0.
      writer.uint8(qos);
      continue;
    }
    if (retainHandling !== 0 && retainHandling !== 1 && retainHandling !== 2) {
      throw new PacketRangeError("the retainHandling of a subscription is 0, 1 or 2");
    }
    writer.uint8(qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4));
  }
}
