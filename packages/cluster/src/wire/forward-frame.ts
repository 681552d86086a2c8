// A message on its way to a peer. The PUBLISH packet is part of the frame as it goes out to subscribers: the peer copies
// it on without encoding anything.
//
//   flags layout [sequence] [expiry] [stamp] [origin number] [homes] publisher [groups] PUBLISH
import { decodePublishProperties, encodeUtf8, type PublishProperties, type QoS } from "@wrenmq/codec";
import {
  copyBytes,
  encodePublish,
  type Layout,
  Message,
  NEVER,
  type Outbox,
  PublishFrame,
  type TopicTable,
} from "@wrenmq/protocol";
import type { ArrivedTarget, ForwardTarget, Homes } from "../cluster-bus.ts";
import { malformed } from "../errors.ts";
import type { Origin } from "../parcel.ts";
import { FieldReader, putBytes, putDouble, putUint16, putUint32 } from "./fields.ts";
import { FRAME_HEAD, FrameType } from "./frame-type.ts";

const Flag = { Retain: 4, Plain: 8, Sequence: 16, Groups: 32, Expiry: 64, Stamp: 128 } as const;
/** In the byte of the layout, which takes the lowest two bits. */
const Extra = { Parcel: 4, Homes: 8, Old: 16 } as const;
const LAYOUT = 3;
const NO_BYTES = new Uint8Array(0);

/** Encodes a text only once while it is repeated from message to message. */
class LastText {
  #text = "";
  #bytes: Uint8Array = NO_BYTES;

  encode(text: string): Uint8Array {
    if (text === this.#text) return this.#bytes;
    this.#text = text;
    this.#bytes = encodeUtf8(text);
    return this.#bytes;
  }
}

const publishers = new LastText();

/**
 * @param sequence -1: no result is needed
 * @param number of a parcel; 0: it is none
 * @param origin of the number: its position in the list that the peer was sent
 */
export function writeForward(
  outbox: Outbox,
  message: Message,
  target: ForwardTarget,
  sequence: number,
  number = 0,
  origin = 0,
): void {
  const layout = message.wholeLayout;
  const frame = message.frame(layout) ?? encodePublish(message, layout);
  const publisher = publishers.encode(message.publisher);
  const { homes } = target;
  const groups = target.groups?.map((filter) => encodeUtf8(filter));
  const length =
    2 +
    (sequence >= 0 ? 4 : 0) +
    (message.expiresAt === NEVER ? 0 : 8) +
    (target.retainedAt > 0 ? 8 : 0) +
    (number > 0 ? 10 : 0) +
    (homes === undefined ? 0 : 1 + 4 * homes.length) +
    2 +
    publisher.length +
    (groups === undefined ? 0 : groups.reduce((sum, { length }) => sum + 2 + length, 2)) +
    (frame.end - frame.start);
  outbox.reserve(FRAME_HEAD + length);
  const { bytes } = outbox;
  let at = putUint32(bytes, outbox.position, length);
  bytes[at++] = FrameType.Forward;
  bytes[at++] =
    message.qos |
    (message.retain ? Flag.Retain : 0) |
    (target.plain ? Flag.Plain : 0) |
    (sequence >= 0 ? Flag.Sequence : 0) |
    (groups === undefined ? 0 : Flag.Groups) |
    (message.expiresAt === NEVER ? 0 : Flag.Expiry) |
    (target.retainedAt > 0 ? Flag.Stamp : 0);
  bytes[at++] =
    layout |
    (number > 0 ? Extra.Parcel : 0) |
    (homes === undefined ? 0 : Extra.Homes) |
    (target.isOld === true ? Extra.Old : 0);
  if (sequence >= 0) at = putUint32(bytes, at, sequence);
  if (message.expiresAt !== NEVER) at = putDouble(bytes, at, message.expiresAt);
  if (target.retainedAt > 0) at = putDouble(bytes, at, target.retainedAt);
  if (number > 0) at = putDouble(bytes, putUint16(bytes, at, origin), number);
  if (homes !== undefined) {
    bytes[at++] = homes.length;
    for (const { home, count } of homes) at = putUint16(bytes, putUint16(bytes, at, home), count);
  }
  at = putUint16(bytes, at, publisher.length);
  at = putBytes(bytes, at, publisher);
  if (groups !== undefined) {
    at = putUint16(bytes, at, groups.length);
    for (const group of groups) at = putBytes(bytes, putUint16(bytes, at, group.length), group);
  }
  frame.copyTo(bytes, at);
  outbox.position = at + frame.end - frame.start;
}

/** The last forwarded message that was read. Texts that are repeated are decoded once. */
export class ForwardReader implements ArrivedTarget {
  message!: Message;
  plain: boolean = false;
  groups: readonly string[] | undefined = undefined;
  retainedAt: number = 0;
  isOld: boolean = false;
  homes: readonly Homes[] | undefined = undefined;
  origin: Origin | undefined = undefined;
  number: number = 0;
  sequence: number = -1;
  /** The origins that the peer has sent. */
  origins: readonly Origin[] = [];
  readonly #fields = new FieldReader();
  readonly #topics: TopicTable;
  #publisher = "";
  #publisherBytes: Uint8Array = NO_BYTES;
  #topic: ReturnType<TopicTable["read"]> | undefined;

  constructor(topics: TopicTable) {
    this.#topics = topics;
  }

  /** @throws ClusterError ERR_CLUSTER_FRAME; MqttError for an invalid topic name */
  read(bytes: Uint8Array, start: number, end: number): void {
    const fields = this.#fields.over(bytes, start, end);
    const flags = fields.uint8();
    const extra = fields.uint8();
    const layout = extra & LAYOUT;
    const qos = flags & 3;
    if (qos === 3 || extra > (LAYOUT | Extra.Parcel | Extra.Homes | Extra.Old) || (layout & 1) !== (qos > 0 ? 1 : 0))
      throw malformed("flags that do not fit");
    this.sequence = (flags & Flag.Sequence) === 0 ? -1 : fields.uint32();
    const expiresAt = (flags & Flag.Expiry) === 0 ? NEVER : fields.double();
    this.retainedAt = (flags & Flag.Stamp) === 0 ? 0 : fields.double();
    this.#readParcel(fields, (extra & Extra.Parcel) !== 0);
    this.homes = (extra & Extra.Homes) === 0 ? undefined : readHomes(fields);
    this.isOld = (extra & Extra.Old) !== 0;
    this.plain = (flags & Flag.Plain) !== 0;
    const publisher = this.#readPublisher(fields);
    this.groups = (flags & Flag.Groups) === 0 ? undefined : readGroups(fields);
    this.#readPublish(fields, layout as Layout, qos as QoS, (flags & Flag.Retain) !== 0, expiresAt, publisher);
  }

  #readParcel(fields: FieldReader, isParcel: boolean): void {
    this.origin = undefined;
    this.number = 0;
    if (!isParcel) return;
    this.origin = this.origins[fields.uint16()];
    this.number = fields.double();
    if (this.origin === undefined) throw malformed("a parcel of an origin that was not told");
  }

  #readPublish(
    fields: FieldReader,
    layout: Layout,
    qos: QoS,
    retain: boolean,
    expiresAt: number,
    publisher: string,
  ): void {
    const { bytes } = fields;
    const start = fields.position;
    fields.skip(1);
    if (variableByteInteger(fields) !== fields.left) throw malformed("a PUBLISH of another length");
    const topicLength = fields.uint16();
    const topicStart = fields.skip(topicLength);
    const packetIdOffset = (layout & 1) === 0 ? 0 : fields.skip(2) - start;
    let properties: PublishProperties | undefined;
    if (layout >= 2) {
      const length = variableByteInteger(fields);
      const at = fields.skip(length);
      if (length > 0) properties = decodePublishProperties(bytes, at, at + length);
    }
    let topic = this.#topic;
    if (topic?.equals(bytes, topicStart, topicStart + topicLength) !== true) {
      topic = this.#topics.read(bytes, topicStart, topicStart + topicLength);
      if (topic.kept) this.#topic = topic;
    }
    const { position, end } = fields;
    const message = new Message(topic, bytes, position, end, qos, retain, properties, expiresAt, publisher, false);
    message.useFrame(layout, new PublishFrame(bytes, start, end, packetIdOffset));
    this.message = message;
  }

  #readPublisher(fields: FieldReader): string {
    const length = fields.uint16();
    const known = this.#publisherBytes;
    const { bytes, position } = fields;
    if (length === known.length && length <= fields.left) {
      let index = 0;
      while (index < length && bytes[position + index] === known[index]) index++;
      if (index === length) {
        fields.skip(length);
        return this.#publisher;
      }
    }
    this.#publisher = fields.text(length);
    this.#publisherBytes = copyBytes(bytes, position, position + length);
    return this.#publisher;
  }
}

function readHomes(fields: FieldReader): Homes[] {
  const homes: Homes[] = [];
  for (let left = fields.uint8(); left > 0; left--) homes.push({ home: fields.uint16(), count: fields.uint16() });
  return homes;
}

function readGroups(fields: FieldReader): string[] {
  const groups: string[] = [];
  for (let count = fields.uint16(); count > 0; count--) groups.push(fields.text(fields.uint16()));
  return groups;
}

function variableByteInteger(fields: FieldReader): number {
  let value = 0;
  for (let shift = 0; shift <= 21; shift += 7) {
    const byte = fields.uint8();
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
  throw malformed("a length of more than four bytes");
}
