// An application message on its way through the broker, and the PUBLISH packets made of it: one encoding per layout
// however many subscribers there are; what differs between them (flags, packet identifier) is patched into the copy.
import { encodePublishProperties, type PublishProperties, type QoS, variableByteIntegerLength } from "@wrenmq/codec";
import { copyBytes } from "./copy-bytes.ts";
import type { StoredMessage } from "./facts.ts";
import { type Millis, NEVER } from "./time.ts";
import type { Topic } from "./topic-table.ts";

/** The layouts in which a message can go out: MQTT 3 or 5, without or with a packet identifier. */
export type Layout = 0 | 1 | 2 | 3;
export function layoutOf(isV5: boolean, qos: number): Layout {
  return ((isV5 ? 2 : 0) + (qos > 0 ? 1 : 0)) as Layout;
}

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
}

const NO_BYTES = new Uint8Array(0);
const NO_PROPERTIES: PublishProperties = {};

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
  #frame0: PublishFrame | undefined = undefined;
  #frame1: PublishFrame | undefined = undefined;
  #frame2: PublishFrame | undefined = undefined;
  #frame3: PublishFrame | undefined = undefined;
  #propertyBytes: Uint8Array | undefined = undefined;

  /** @param kept false: `bytes` is only lent; whoever holds on to the message calls `keep` first */
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

  /** A view: valid as long as the message's bytes are (see `keep`). */
  get payload(): Uint8Array {
    this.#payload ??= this.#bytes.subarray(this.#payloadStart, this.#payloadEnd);
    return this.#payload;
  }

  /** Copies the payload out of borrowed memory, once. A small view would also pin the large chunk it lies in. */
  keep(): void {
    if (this.kept) return;
    this.kept = true;
    const payload = copyBytes(this.#bytes, this.#payloadStart, this.#payloadEnd);
    this.#bytes = payload;
    this.#payload = payload;
    this.#payloadStart = 0;
    this.#payloadEnd = payload.length;
  }

  /** Forgets the encodings: those that lie in borrowed memory end with the call that lent it. */
  releaseFrames(): void {
    this.#frame0 = undefined;
    this.#frame1 = undefined;
    this.#frame2 = undefined;
    this.#frame3 = undefined;
  }

  /** The packet in which the message came can serve as an encoding of it. */
  useFrame(layout: Layout, frame: PublishFrame): void {
    if (layout === 0) this.#frame0 = frame;
    else if (layout === 1) this.#frame1 = frame;
    else if (layout === 2) this.#frame2 = frame;
    else this.#frame3 = frame;
  }

  /** The encoding for a layout, made at first use. Message Expiry Interval is not in it (see `encodePublish`). */
  frame(layout: Layout): PublishFrame {
    const known =
      layout === 0 ? this.#frame0 : layout === 1 ? this.#frame1 : layout === 2 ? this.#frame2 : this.#frame3;
    if (known !== undefined) return known;
    const frame = encodePublish(this, layout, undefined, undefined);
    this.useFrame(layout, frame);
    return frame;
  }

  hasExpired(now: Millis): boolean {
    return now >= this.expiresAt;
  }

  /** The properties as bytes, without their length. */
  get propertyBytes(): Uint8Array {
    this.#propertyBytes ??= this.properties === undefined ? NO_BYTES : encodePublishProperties(this.properties);
    return this.#propertyBytes;
  }

  /** Copies the payload to `target`. */
  writePayload(target: Uint8Array, position: number): void {
    if (this.#bytes === target) target.copyWithin(position, this.#payloadStart, this.#payloadEnd);
    else target.set(this.payload, position);
  }
}

/** What one delivery adds to a message in MQTT 5. */
export interface DeliveryProperties {
  readonly subscriptionIdentifiers?: readonly number[] | undefined;
  readonly topicAlias?: number | undefined;
  /** Seconds that are left. */
  readonly messageExpiryInterval?: number | undefined;
}

/**
 * Encodes a PUBLISH. The flags are those of QoS 0 (or 1), the packet identifier is 0: both are patched in the copy.
 * @param topic replaces the topic name: empty when a topic alias says it
 */
export function encodePublish(
  message: Message,
  layout: Layout,
  extra: DeliveryProperties | undefined,
  topic: Uint8Array | undefined,
): PublishFrame {
  const name = topic ?? message.target.bytes;
  const withPacketId = (layout & 1) === 1;
  const isV5 = layout >= 2;
  const own = isV5 ? message.propertyBytes : NO_BYTES;
  const added = isV5 && extra !== undefined ? encodePublishProperties(definedOnly(extra)) : NO_BYTES;
  const propertyLength = own.length + added.length;
  const remaining =
    2 +
    name.length +
    (withPacketId ? 2 : 0) +
    (isV5 ? variableByteIntegerLength(propertyLength) + propertyLength : 0) +
    message.payloadLength;
  const bytes = new Uint8Array(1 + variableByteIntegerLength(remaining) + remaining);
  bytes[0] = 0x30 | (withPacketId ? 2 : 0);
  let position = writeVariableByteInteger(bytes, 1, remaining);
  bytes[position++] = name.length >> 8;
  bytes[position++] = name.length & 0xff;
  bytes.set(name, position);
  position += name.length;
  const packetIdOffset = withPacketId ? position : 0;
  if (withPacketId) position += 2;
  if (isV5) {
    position = writeVariableByteInteger(bytes, position, propertyLength);
    bytes.set(added, position);
    bytes.set(own, position + added.length);
    position += propertyLength;
  }
  message.writePayload(bytes, position);
  return new PublishFrame(bytes, 0, bytes.length, packetIdOffset);
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

/** Seconds left at `now`, rounded up: a message that is not expired never says 0. */
export function remainingExpiry(message: Message, now: Millis): number | undefined {
  return message.expiresAt === NEVER ? undefined : Math.max(1, Math.ceil((message.expiresAt - now) / 1000));
}
