// From a packet to its bytes: dispatch and fixed header.
import { ByteWriter } from "./byte-writer.ts";
import { InvalidPacketError } from "./errors.ts";
import type { Packet, ProtocolVersion } from "./packet.ts";
import { PacketType } from "./packet-type.ts";
import { encodeAck } from "./packets/acks.ts";
import { encodeAuth } from "./packets/auth.ts";
import { encodeConnack } from "./packets/connack.ts";
import { encodeConnect } from "./packets/connect.ts";
import { encodeDisconnect } from "./packets/disconnect.ts";
import { encodePublish } from "./packets/publish.ts";
import { encodeSuback } from "./packets/suback.ts";
import { encodeSubscribe } from "./packets/subscribe.ts";
import { encodeUnsuback } from "./packets/unsuback.ts";
import { encodeUnsubscribe } from "./packets/unsubscribe.ts";

/** A larger buffer than this is not kept for the next packet. */
const KEPT_CAPACITY = 65_536;

/** Packets other than PUBLISH are collected here and copied out; undefined while in use. */
let scratch: ByteWriter | undefined;

/**
 * The bytes of a packet, in the shortest form that the standard allows. For MQTT 3.1 and 3.1.1 properties are left out
 * and reason codes become what means the same there. Small results are views of a shared ArrayBuffer, like small Buffers
 * in Node: do not transfer it to a worker.
 * @param version of the connection; CONNECT carries its own
 * @throws InvalidPacketError, PacketRangeError for a packet that cannot exist
 */
export function encode(packet: Packet, version: ProtocolVersion = 4): Uint8Array {
  if (packet.type === "publish") return encodePublish(packet, version);
  const writer = scratch ?? new ByteWriter();
  scratch = undefined;
  writer.truncate(0);
  encodeInto(packet, version, writer);
  const bytes = writer.toBytes();
  if (writer.capacity <= KEPT_CAPACITY) scratch = writer;
  return bytes;
}

/**
 * Appends the bytes of a packet to what `writer` has; if it throws, `writer` is as before.
 * @throws InvalidPacketError, PacketRangeError for a packet that cannot exist
 */
export function encodeInto(packet: Packet, version: ProtocolVersion, writer: ByteWriter): void {
  const before = writer.length;
  try {
    if (packet.type === "publish") {
      encodePublish(packet, version, writer);
      return;
    }
    writer.uint8(headerOf(packet));
    const start = writer.beginLength();
    encodeBody(packet, version, writer);
    writer.endLength(start);
  } catch (error) {
    writer.truncate(before);
    throw error;
  }
}

function headerOf(packet: Packet): number {
  switch (packet.type) {
    case "connect":
      return PacketType.Connect << 4;
    case "connack":
      return PacketType.Connack << 4;
    case "publish":
      return PacketType.Publish << 4;
    case "puback":
      return PacketType.Puback << 4;
    case "pubrec":
      return PacketType.Pubrec << 4;
    // The 2 is reserved. [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
    case "pubrel":
      return (PacketType.Pubrel << 4) | 2;
    case "pubcomp":
      return PacketType.Pubcomp << 4;
    case "subscribe":
      return (PacketType.Subscribe << 4) | 2;
    case "suback":
      return PacketType.Suback << 4;
    case "unsubscribe":
      return (PacketType.Unsubscribe << 4) | 2;
    case "unsuback":
      return PacketType.Unsuback << 4;
    case "pingreq":
      return PacketType.Pingreq << 4;
    case "pingresp":
      return PacketType.Pingresp << 4;
    case "disconnect":
      return PacketType.Disconnect << 4;
    case "auth":
      return PacketType.Auth << 4;
    default:
      throw new InvalidPacketError(`there is no packet of type ${String((packet satisfies never as Packet).type)}`);
  }
}

function encodeBody(packet: Exclude<Packet, { type: "publish" }>, version: ProtocolVersion, writer: ByteWriter): void {
  switch (packet.type) {
    case "connect":
      encodeConnect(writer, packet);
      return;
    case "connack":
      encodeConnack(writer, packet, version);
      return;
    case "puback":
    case "pubrec":
    case "pubrel":
    case "pubcomp":
      encodeAck(writer, packet, version);
      return;
    case "subscribe":
      encodeSubscribe(writer, packet, version);
      return;
    case "suback":
      encodeSuback(writer, packet, version);
      return;
    case "unsubscribe":
      encodeUnsubscribe(writer, packet, version);
      return;
    case "unsuback":
      encodeUnsuback(writer, packet, version);
      return;
    case "pingreq":
    case "pingresp":
      return;
    case "disconnect":
      encodeDisconnect(writer, packet, version);
      return;
    case "auth":
      if (version < 5) throw new InvalidPacketError("AUTH exists only in MQTT 5.0");
      encodeAuth(writer, packet);
      return;
  }
}
