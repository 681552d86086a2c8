// From the bytes of one packet to the packet: fixed header, dispatch, and the check that nothing is left over.
import { ANY_NUMBER, ByteReader } from "./byte-reader.ts";
import { malformed } from "./errors.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";
import { PacketType } from "./packet-type.ts";
import { decodeAck } from "./packets/acks.ts";
import { decodeAuth } from "./packets/auth.ts";
import { decodeConnack } from "./packets/connack.ts";
import { decodeConnect } from "./packets/connect.ts";
import { decodeDisconnect } from "./packets/disconnect.ts";
import { decodePublish } from "./packets/publish.ts";
import { decodeSuback } from "./packets/suback.ts";
import { decodeSubscribe } from "./packets/subscribe.ts";
import { decodeUnsuback } from "./packets/unsuback.ts";
import { decodeUnsubscribe } from "./packets/unsubscribe.ts";

/**
 * Decodes exactly one packet. Payloads and other binary values are views of `bytes`: copy them, or leave `bytes` alone,
 * for as long as they are needed.
 * @param version of the connection; CONNECT carries its own
 * @throws MqttError with the reason code for the peer; 0x81 also if `bytes` is more or less than one packet
 */
export function decode(bytes: Uint8Array, version: ProtocolVersion = 4): Packet {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const header = reader.uint8();
  const length = reader.variableByteInteger();
  if (length !== bytes.length - reader.position) throw malformed("the Remaining Length is not that of the bytes given");
  return decodeBody(header, bytes, reader.position, bytes.length, version);
}

/**
 * Decodes the packet whose first byte is `header` and whose bytes after the Remaining Length are those from `start` up
 * to `end`. Payloads and other binary values are views of `bytes`.
 * @param maxItems most user properties and topic filters, together; a packet with more is refused with 0x97
 * @throws MqttError with the reason code for the peer
 */
export function decodeBody(
  header: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  version: ProtocolVersion,
  maxItems: number = ANY_NUMBER,
): Packet {
  const reader = new ByteReader(bytes, start, end, maxItems);
  const type = header >> 4;
  if (type === PacketType.Publish) return decodePublish(reader, header & 0x0f, version);
  if (type !== PacketType.Connect && version > 3) checkFlags(type, header & 0x0f);
  const packet =
    type === PacketType.Connect ? decodeConnect(reader, header & 0x0f) : decodeOther(type, reader, version);
  if (!reader.atEnd) throw malformed("bytes are left over at the end of the packet");
  return packet;
}

/**
 * [MQTT-2.1.3-1], [MQTT-2.2.2-1] of 3.1.1. Not in MQTT 3.1: there these bits are DUP, QoS and RETAIN in every packet, used
 * or not, and devices set them as they like. [MQTT 3.1, 2.1]
 */
function checkFlags(type: number, flags: number): void {
  const acknowledged = type === PacketType.Pubrel || type === PacketType.Subscribe || type === PacketType.Unsubscribe;
  if (flags !== (acknowledged ? 2 : 0)) throw malformed("the flags of the fixed header are wrong");
}

function decodeOther(type: number, reader: ByteReader, version: ProtocolVersion): Packet {
  switch (type) {
    case PacketType.Connack:
      return decodeConnack(reader, version);
    case PacketType.Puback:
      return decodeAck(reader, "puback", version);
    case PacketType.Pubrec:
      return decodeAck(reader, "pubrec", version);
    case PacketType.Pubrel:
      return decodeAck(reader, "pubrel", version);
    case PacketType.Pubcomp:
      return decodeAck(reader, "pubcomp", version);
    case PacketType.Subscribe:
      return decodeSubscribe(reader, version);
    case PacketType.Suback:
      return decodeSuback(reader, version);
    case PacketType.Unsubscribe:
      return decodeUnsubscribe(reader, version);
    case PacketType.Unsuback:
      return decodeUnsuback(reader, version);
    case PacketType.Pingreq:
      return { type: "pingreq" };
    case PacketType.Pingresp:
      return { type: "pingresp" };
    case PacketType.Disconnect:
      return decodeDisconnect(reader, version);
    case PacketType.Auth:
      if (version === 5) return decodeAuth(reader);
  }
  throw malformed(`packet type ${type} does not exist in this version`);
}
