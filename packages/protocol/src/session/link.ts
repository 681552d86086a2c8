// The output to one connected client: what the client accepts (version, sizes, aliases), and the bytes that wait for
// it.
import { decodeBody, encode, FrameReader, type Packet, PacketType, ReasonCode } from "@wrenmq/codec";
import type { Counters } from "../counters.ts";
import type { Dialect } from "../dialect.ts";
import { copyBytes } from "../memory/copy-bytes.ts";
import type { Outbox } from "../memory/outbox.ts";
import {
  type DeliveryProperties,
  type Layout,
  type Message,
  type PublishFrame,
  PublishWriter,
  remainingExpiry,
} from "../message/message.ts";
import { OutboundAliases } from "../message/topic-aliases.ts";
import { type Millis, NEVER } from "../time.ts";

/** Limits of the client from its CONNECT, and the bytes that may wait for it. */
export interface LinkOptions {
  readonly dialect: Dialect;
  /** Bytes. [MQTT5 3.1.2.11.4] */
  readonly maximumPacketSize: number;
  /** QoS 1 and 2 messages in flight. [MQTT5 3.1.2.11.3] */
  readonly receiveMaximum: number;
  readonly topicAliasMaximum: number;
  /** May reason strings and user properties be sent with anything but CONNACK, PUBLISH and DISCONNECT? */
  readonly problemInformation: boolean;
  /** Bytes that may wait before the client counts as blocked. */
  readonly highWater: number;
}

/** Owner of the link: the connection. */
export interface LinkOwner {
  /** Closes the connection with this reason code, which is sent if the version has it. */
  closeLink(reasonCode: ReasonCode, reasonString?: string): void;
  /** Called with each packet that is sent; undefined when there is no observer. */
  readonly packetSent?: ((packet: Packet) => void) | undefined;
  /**
   * The reason code of a message whose acknowledgement was deferred.
   * @returns did its client wait for it on this connection?
   */
  publishSettled?(packetId: number, reasonCode: number): boolean;
}

/** Bytes of a packet from which on a separate write costs less than a copy. */
const LARGE = 32_768;

export class Link {
  readonly outbox: Outbox;
  readonly counters: Counters;
  readonly owner: LinkOwner;
  readonly dialect: Dialect;
  readonly maximumPacketSize: number;
  readonly receiveMaximum: number;
  readonly problemInformation: boolean;
  /** The reason code for an unknown packet identifier: an error, unless a session was resumed. [MQTT5 2.4, 0x92] */
  unknownPacketId: ReasonCode = ReasonCode.PacketIdentifierNotFound;
  /** The connection has ended: nothing may follow its last packet. */
  closed: boolean = false;
  readonly #layout: 0 | 2;
  readonly #highWater: number;
  readonly #aliases: OutboundAliases | undefined;

  constructor(outbox: Outbox, owner: LinkOwner, counters: Counters, options: LinkOptions) {
    this.outbox = outbox;
    this.owner = owner;
    this.counters = counters;
    this.dialect = options.dialect;
    this.maximumPacketSize = options.maximumPacketSize;
    this.receiveMaximum = options.receiveMaximum;
    this.problemInformation = options.problemInformation;
    this.#layout = options.dialect.layout;
    this.#highWater = options.highWater;
    this.#aliases = options.topicAliasMaximum > 0 ? new OutboundAliases(options.topicAliasMaximum) : undefined;
  }

  /** Does the client not read, with as many bytes waiting as may wait? */
  get blocked(): boolean {
    const { outbox } = this;
    return (outbox.inTransit > 0 || outbox.holds > 0) && outbox.backlog > this.#highWater;
  }

  /** @returns false: the packet would be larger than the client accepts, nothing was sent [MQTT-3.1.2-24] */
  publish(
    message: Message,
    qos: number,
    retain: boolean,
    dup: boolean,
    packetId: number,
    subscriptionIdentifiers: readonly number[] | undefined,
    now: Millis,
  ): boolean {
    const layout = (qos > 0 ? this.#layout + 1 : this.#layout) as Layout;
    const isPlain =
      this.#layout === 0 ||
      (subscriptionIdentifiers === undefined && this.#aliases === undefined && message.expiresAt === NEVER);
    const frame = isPlain ? message.frame(layout) : undefined;
    if (frame === undefined && !this.#prepare(message, layout, isPlain, subscriptionIdentifiers, now)) return false;
    const length = frame === undefined ? writer.length : frame.end - frame.start;
    if (length > this.maximumPacketSize) return false;
    const header = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0);
    if (frame !== undefined && length >= LARGE) {
      this.counters.publishBytesSent += message.payloadLength;
      this.#passOn(frame, header, packetId);
      return true;
    }
    const outbox = this.outbox;
    outbox.reserve(length);
    const target = outbox.bytes;
    const at = outbox.position;
    const packetIdOffset = frame === undefined ? writer.write(target, at) : frame.copyTo(target, at);
    target[at] = header;
    if (qos > 0) {
      target[at + packetIdOffset] = packetId >> 8;
      target[at + packetIdOffset + 1] = packetId & 0xff;
    }
    outbox.position = at + length;
    this.counters.publishSent++;
    this.counters.publishBytesSent += message.payloadLength;
    this.counters.packetsSent++;
    if (this.owner.packetSent !== undefined) this.#tell(target, at);
    return true;
  }

  /** Without a copy if the system takes it at once: the packet is changed for this client in place for that time. */
  #passOn({ bytes, start, end, packetIdOffset }: PublishFrame, header: number, packetId: number): void {
    this.counters.publishSent++;
    this.counters.packetsSent++;
    if (packetIdOffset === 0 && bytes[start] === header) {
      if (this.owner.packetSent !== undefined) this.#tell(bytes, start);
      this.outbox.passAlong(bytes, start, end);
      return;
    }
    const idAt = start + packetIdOffset;
    const original = [bytes[start], bytes[idAt], bytes[idAt + 1]] as [number, number, number];
    if (packetIdOffset > 0) {
      bytes[idAt] = packetId >> 8;
      bytes[idAt + 1] = packetId & 0xff;
    }
    bytes[start] = header;
    if (this.owner.packetSent !== undefined) this.#tell(bytes, start);
    this.outbox.passThrough(bytes, start, end);
    if (packetIdOffset > 0) {
      bytes[idAt] = original[1];
      bytes[idAt + 1] = original[2];
    }
    bytes[start] = original[0];
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP in its short form, or with a reason code if the version has one. */
  ack(type: PacketType, packetId: number, reasonCode: number): void {
    if (this.closed) return;
    const flags = type === PacketType.Pubrel ? 2 : 0;
    const withReason = reasonCode !== 0 && this.dialect.negativeAcks;
    const outbox = this.outbox;
    const length = withReason ? 5 : 4;
    outbox.reserve(length);
    const { bytes, position } = outbox;
    bytes[position] = (type << 4) | flags;
    bytes[position + 1] = length - 2;
    bytes[position + 2] = packetId >> 8;
    bytes[position + 3] = packetId & 0xff;
    if (withReason) bytes[position + 4] = reasonCode;
    outbox.position = position + length;
    outbox.answers += length;
    this.counters.packetsSent++;
    if (this.owner.packetSent !== undefined) this.#tell(bytes, position);
  }

  /**
   * Any other packet. Reason string and user properties are left out if the client does not want them or they do not
   * fit. A client that waits for a packet that is larger than it accepts is disconnected.
   */
  send(packet: Packet): void {
    if (this.closed) return;
    let bytes = encode(packet, this.dialect.version);
    if (
      hasProblemInformation(packet) &&
      (!this.#wantsProblemInformation(packet) || bytes.length > this.maximumPacketSize)
    ) {
      bytes = encode(withoutProblemInformation(packet), this.dialect.version);
    }
    this.sendEncoded(bytes);
    if (bytes.length > this.maximumPacketSize && packet.type !== "connack" && packet.type !== "disconnect") {
      this.owner.closeLink(ReasonCode.PacketTooLarge, "the answer is larger than the client's Maximum Packet Size");
    }
  }

  /** A whole packet that was encoded for this version before. */
  sendEncoded(bytes: Uint8Array): void {
    if (this.closed || bytes.length > this.maximumPacketSize) return; // [MQTT-3.1.2-24]: nothing that large may be sent
    this.outbox.append(bytes);
    this.outbox.answers += bytes.length;
    this.counters.packetsSent++;
    if (this.owner.packetSent !== undefined) this.#tell(bytes, 0);
  }

  /** Reports what was written from `start` on, decoded from the bytes. */
  #tell(bytes: Uint8Array, start: number): void {
    const frames = new FrameReader();
    const copy = copyBytes(bytes, start, this.outbox.bytes === bytes ? this.outbox.position : bytes.length);
    frames.push(copy, 0, copy.length);
    if (!frames.next()) return;
    const { header, bodyStart, bodyEnd } = frames;
    this.owner.packetSent?.(decodeBody(header, frames.bytes, bodyStart, bodyEnd, this.dialect.version));
  }

  #wantsProblemInformation(packet: Packet): boolean {
    return this.problemInformation || packet.type === "connack" || packet.type === "disconnect"; // [MQTT-3.1.2-29]
  }

  /**
   * Prepares a packet for this client only.
   * @returns false: it would be too large
   */
  #prepare(
    message: Message,
    layout: Layout,
    isPlain: boolean,
    subscriptionIdentifiers: readonly number[] | undefined,
    now: Millis,
  ): boolean {
    if (isPlain) return writer.prepare(message, layout, undefined).length <= this.maximumPacketSize;
    const messageExpiryInterval = remainingExpiry(message, now);
    const topicAlias = this.#aliases?.get(message.topic);
    const extra: DeliveryProperties = { subscriptionIdentifiers, messageExpiryInterval, topicAlias };
    writer.prepare(message, layout, extra, topicAlias === undefined);
    if (topicAlias !== undefined || this.#aliases === undefined) return writer.length <= this.maximumPacketSize;
    // The client knows an alias only if the packet that sets it is sent.
    if (writer.length + ALIAS_BYTES > this.maximumPacketSize) return writer.length <= this.maximumPacketSize;
    const assigned = this.#aliases.assign(message.topic);
    if (assigned !== undefined) writer.prepare(message, layout, { ...extra, topicAlias: assigned });
    return true;
  }
}

/** Used and written in one synchronous call: shared by all. */
const writer = new PublishWriter();
/** A Topic Alias property, with lengths that may grow by a byte. */
const ALIAS_BYTES = 5;

function hasProblemInformation(packet: Packet): boolean {
  if (!("properties" in packet) || packet.properties === undefined) return false;
  return "reasonString" in packet.properties || "userProperties" in packet.properties;
}

function withoutProblemInformation(packet: Packet): Packet {
  const properties: Record<string, unknown> = { ...("properties" in packet ? packet.properties : undefined) };
  delete properties["reasonString"];
  delete properties["userProperties"];
  return { ...packet, properties } as Packet;
}
