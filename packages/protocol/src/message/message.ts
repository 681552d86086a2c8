// An application message on its way through the broker, and the PUBLISH packets made of it: one encoding per layout
// however many subscribers there are; what differs between them (flags, packet identifier) is patched into the copy.
import { encodePublishProperties, type PublishProperties, type QoS, variableByteIntegerLength } from "@wrenmq/codec";
import { keepBytes, keepSpace, kept } from "../memory/byte-pool.ts";
import { type Millis, NEVER } from "../time.ts";
import type { StoredMessage } from "./stored-message.ts";
import type { Topic } from "./topic.ts";

/** The layouts in which a message can go out: MQTT 3 or 5, without or with a packet identifier. */
export type Layout = 0 | 1 | 2 | 3;

/** A whole PUBLISH packet as bytes. The first byte's flags and the packet identifier are to be patched in the copy. */
export class PublishFrame {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** From `start`; 0 when the layout has none. */
  readonly packetIdOffset: number;

  constructor(bytes: Uint8Array, start: number, end: number, packetIdOffset: number) {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    this.packetIdOffset = packetIdOffset;
  }

  /** @returns where the packet identifier is, from `at`; 0 when the layout has none */
  copyTo(target: Uint8Array, at: number): number {
    const { bytes, start, end } = this;
    // One arena holds what was read and what is to be written: no view is needed to copy between them.
    if (bytes === target) target.copyWithin(at, start, end);
    else if (end - start === bytes.length) target.set(bytes, at);
    else target.set(bytes.subarray(start, end), at);
    return this.packetIdOffset;
  }
}

const NO_BYTES = new Uint8Array(0);
/** Bytes between topic and payload (packet identifier, properties) that are worth keeping to copy both at once. */
const SMALL_GAP = 16;
const NO_PROPERTIES: PublishProperties = {};

/** What few messages need. Each field of `Message` itself costs every message 8 bytes. */
class MoreEncodings {
  /** Those for other layouts than the message's first. */
  frames: (PublishFrame | undefined)[] | undefined = undefined;
  propertyBytes: Uint8Array | undefined = undefined;
}

export class Message implements StoredMessage {
  readonly target: Topic;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: PublishProperties | undefined;
  readonly expiresAt: Millis;
  readonly publisher: string;
  /** Several sessions refer to one stored message by this number; 0 until it is stored. Belongs to the journal. */
  storeId: number = 0;
  #bytes: Uint8Array;
  #payloadStart: number;
  #payloadEnd: number;
  #payload: Uint8Array | undefined;
  /** Does the message own its bytes? */
  kept: boolean;
  /** One encoding: that in which the message came, mostly, or the one it is kept with. */
  #frame: PublishFrame | undefined = undefined;
  #frameLayout: Layout = 0;
  #more: MoreEncodings | undefined = undefined;

  /** @param kept false: `bytes` is valid during the call only; whatever keeps the message calls `keep` first */
  constructor(
    target: Topic,
    bytes: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    qos: QoS,
    retain: boolean,
    properties: PublishProperties | undefined,
    expiresAt: Millis,
    publisher: string,
    kept: boolean,
  ) {
    this.target = target;
    this.qos = qos;
    this.retain = retain;
    this.properties = properties;
    this.expiresAt = expiresAt;
    this.publisher = publisher;
    this.#bytes = bytes;
    this.#payloadStart = payloadStart;
    this.#payloadEnd = payloadEnd;
    this.#payload = undefined;
    this.kept = kept;
  }

  static of(target: Topic, message: Omit<StoredMessage, "topic">): Message {
    const { payload } = message;
    return new Message(
      target,
      payload,
      0,
      payload.length,
      message.qos,
      message.retain,
      message.properties,
      message.expiresAt,
      message.publisher,
      true,
    );
  }

  get topic(): string {
    return this.target.name;
  }

  get payloadLength(): number {
    return this.#payloadEnd - this.#payloadStart;
  }

  /**
   * Bytes that count where messages are kept: payload, topic and properties. Not those of the packet but what they take
   * up once decoded, so that a message of nothing but user properties is not free.
   */
  get weight(): number {
    const { properties } = this;
    const own = this.payloadLength + this.target.length;
    return properties === undefined ? own : own + propertiesWeight(properties);
  }

  /** A view: valid as long as the message's bytes are (see `keep`). */
  get payload(): Uint8Array {
    this.#payload ??= this.#bytes.subarray(this.#payloadStart, this.#payloadEnd);
    return this.#payload;
  }

  /** Copies payload and topic out of borrowed memory, once. A small view would also pin the large chunk it lies in. */
  keep(): void {
    if (this.kept) return;
    this.kept = true;
    const { target } = this;
    if (!target.kept) {
      const gap = this.#payloadStart - target.start - target.length;
      if (target.bytes === this.#bytes && gap >= 0 && gap <= SMALL_GAP) {
        this.#keepWithTopic();
        return;
      }
      target.keep();
    }
    const length = this.payloadLength;
    keepBytes(this.#bytes, this.#payloadStart, this.#payloadEnd);
    this.#bytes = kept.bytes;
    this.#payloadStart = kept.start;
    this.#payloadEnd = kept.start + length;
    this.#payload = undefined;
  }

  /** In the packet they follow each other: one copy is cheaper than two. */
  #keepWithTopic(): void {
    const { target } = this;
    const from = target.start;
    keepBytes(this.#bytes, from, this.#payloadEnd);
    target.keepAt(kept.bytes, kept.start);
    const shift = kept.start - from;
    this.#bytes = kept.bytes;
    this.#payloadStart += shift;
    this.#payloadEnd += shift;
    this.#payload = undefined;
  }

  /**
   * `keep`, and makes and keeps the packet for MQTT 3 and QoS 0 too: a retained message is sent to each new subscriber,
   * mostly together with thousands of others.
   */
  keepEncoded(): void {
    if (this.#isKeptEncoded) return;
    const { target, payloadLength } = this;
    const lent = this.#known(0);
    const length = lent === undefined ? writer.prepare(this, 0, undefined).length : lent.end - lent.start;
    keepSpace(length);
    const { bytes, start } = kept;
    const end = start + length;
    if (lent === undefined) writer.write(bytes, start);
    else lent.copyTo(bytes, start);
    this.kept = true;
    this.#bytes = bytes;
    this.#payloadStart = end - payloadLength;
    this.#payloadEnd = end;
    this.#payload = undefined;
    this.#frame = new PublishFrame(bytes, start, end, 0);
    this.#frameLayout = 0;
    if (this.#more !== undefined) this.#more.frames = undefined;
    if (!target.kept) target.keepAt(bytes, this.#payloadStart - target.length);
  }

  /** Does it have the packet made by `keepEncoded`? */
  get #isKeptEncoded(): boolean {
    return this.kept && this.#frameLayout === 0 && this.#frame?.bytes === this.#bytes;
  }

  /** Drops the encodings in borrowed memory, which is valid during the call only. */
  releaseFrames(): void {
    if (!this.#isKeptEncoded) this.#frame = undefined;
    if (this.#more !== undefined) this.#more.frames = undefined;
  }

  /** The packet in which the message came can serve as an encoding of it. */
  useFrame(layout: Layout, frame: PublishFrame): void {
    if (this.#frame === undefined || layout === this.#frameLayout) {
      this.#frame = frame;
      this.#frameLayout = layout;
      return;
    }
    this.#more ??= new MoreEncodings();
    this.#more.frames ??= [undefined, undefined, undefined, undefined];
    this.#more.frames[layout] = frame;
  }

  /**
   * The encoding for a layout, without Message Expiry Interval. It is made at first use while the message is on its way
   * to many; a message that was kept goes out one by one, and is better written straight to its outbox (undefined).
   */
  frame(layout: Layout): PublishFrame | undefined {
    const known = this.#known(layout);
    if (known !== undefined || this.kept) return known;
    const frame = encodePublish(this, layout);
    this.useFrame(layout, frame);
    return frame;
  }

  #known(layout: Layout): PublishFrame | undefined {
    return layout === this.#frameLayout ? this.#frame : this.#more?.frames?.[layout];
  }

  /** The layout that loses nothing, and is at hand if any is: what one broker passes on to another. */
  get wholeLayout(): Layout {
    const withPacketId = this.qos > 0;
    const isAtHand = this.#known(withPacketId ? 1 : 0) !== undefined;
    return ((isAtHand && this.properties === undefined ? 0 : 2) + (withPacketId ? 1 : 0)) as Layout;
  }

  hasExpired(now: Millis): boolean {
    return now >= this.expiresAt;
  }

  /** The properties as bytes, without their length. */
  get propertyBytes(): Uint8Array {
    if (this.properties === undefined) return NO_BYTES;
    this.#more ??= new MoreEncodings();
    this.#more.propertyBytes ??= encodePublishProperties(this.properties);
    return this.#more.propertyBytes;
  }

  /** Copies the payload to `target`. */
  writePayload(target: Uint8Array, position: number): void {
    const bytes = this.#bytes;
    if (bytes === target) target.copyWithin(position, this.#payloadStart, this.#payloadEnd);
    else target.set(bytes.subarray(this.#payloadStart, this.#payloadEnd), position);
  }
}

/** Two strings and what holds them together. Bytes. */
const USER_PROPERTY = 64;

function propertiesWeight({ contentType, responseTopic, correlationData, userProperties }: PublishProperties): number {
  let weight = (contentType?.length ?? 0) + (responseTopic?.length ?? 0) + (correlationData?.length ?? 0);
  for (const [name, value] of userProperties ?? []) weight += name.length + value.length + USER_PROPERTY;
  return weight;
}

/** What one delivery adds to a message in MQTT 5. */
export interface DeliveryProperties {
  readonly subscriptionIdentifiers?: readonly number[] | undefined;
  readonly topicAlias?: number | undefined;
  /** Seconds that are left. */
  readonly messageExpiryInterval?: number | undefined;
}

/** What a PUBLISH of `message` needs, counted once and then written: to an outbox, or to a frame that many share. */
export class PublishWriter {
  /** Bytes of the whole packet. */
  length: number = 0;
  #message!: Message;
  #layout: Layout = 0;
  #nameLength = 0;
  #added: Uint8Array = NO_BYTES;
  #own: Uint8Array = NO_BYTES;
  #propertyLength = 0;
  #remaining = 0;

  /** @param withName false: a topic alias in `extra` replaces the topic */
  prepare(message: Message, layout: Layout, extra: DeliveryProperties | undefined, withName: boolean = true): this {
    const isV5 = layout >= 2;
    this.#message = message;
    this.#layout = layout;
    this.#nameLength = withName ? message.target.length : 0;
    this.#own = isV5 ? message.propertyBytes : NO_BYTES;
    this.#added = isV5 && extra !== undefined ? encodePublishProperties(definedOnly(extra)) : NO_BYTES;
    this.#propertyLength = this.#own.length + this.#added.length;
    const properties = isV5 ? variableByteIntegerLength(this.#propertyLength) + this.#propertyLength : 0;
    this.#remaining = 2 + this.#nameLength + (layout & 1) * 2 + properties + message.payloadLength;
    this.length = 1 + variableByteIntegerLength(this.#remaining) + this.#remaining;
    return this;
  }

  /**
   * Writes the packet with the flags of QoS 0 (or 1) and packet identifier 0, both to be patched.
   * @returns where the packet identifier is, from `start`; 0 when the layout has none
   */
  write(bytes: Uint8Array, start: number): number {
    const withPacketId = (this.#layout & 1) === 1;
    bytes[start] = 0x30 | (withPacketId ? 2 : 0);
    let position = writeVariableByteInteger(bytes, start + 1, this.#remaining);
    bytes[position++] = this.#nameLength >> 8;
    bytes[position++] = this.#nameLength & 0xff;
    if (this.#nameLength > 0) position = this.#message.target.write(bytes, position);
    const packetIdOffset = withPacketId ? position - start : 0;
    if (withPacketId) {
      bytes[position++] = 0;
      bytes[position++] = 0;
    }
    if (this.#layout >= 2) {
      position = writeVariableByteInteger(bytes, position, this.#propertyLength);
      bytes.set(this.#added, position);
      bytes.set(this.#own, position + this.#added.length);
      position += this.#propertyLength;
    }
    this.#message.writePayload(bytes, position);
    return packetIdOffset;
  }
}

/** Prepared and written without a pause in between: one for all. */
const writer = new PublishWriter();

/** A frame of its own for a message, without Message Expiry Interval. */
export function encodePublish(message: Message, layout: Layout): PublishFrame {
  const { length } = writer.prepare(message, layout, undefined);
  const bytes = new Uint8Array(length);
  return new PublishFrame(bytes, 0, length, writer.write(bytes, 0));
}

function writeVariableByteInteger(bytes: Uint8Array, start: number, value: number): number {
  let position = start;
  let rest = value;
  while (rest >= 0x80) {
    bytes[position++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[position++] = rest;
  return position;
}

function definedOnly(extra: DeliveryProperties): PublishProperties {
  const { subscriptionIdentifiers, topicAlias, messageExpiryInterval } = extra;
  return {
    ...NO_PROPERTIES,
    ...(subscriptionIdentifiers === undefined ? {} : { subscriptionIdentifiers }),
    ...(topicAlias === undefined ? {} : { topicAlias }),
    ...(messageExpiryInterval === undefined ? {} : { messageExpiryInterval }),
  };
}

/** Seconds left at `now`, rounded up. 0 only for a message that came with 0 and is passed on at once. */
export function remainingExpiry(message: Message, now: Millis): number | undefined {
  return message.expiresAt === NEVER ? undefined : Math.max(0, Math.ceil((message.expiresAt - now) / 1000));
}
