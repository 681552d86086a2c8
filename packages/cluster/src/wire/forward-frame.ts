// A message on its way to a peer. The PUBLISH packet is part of the frame as it goes out to subscribers: the peer copies
// it on without encoding anything.
//
//   flags layout [sequence] [expiry] [stamp] publisher [groups] PUBLISH
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
import type { ForwardTarget } from "../cluster-bus.ts";
import { malformed } from "../errors.ts";
import { FieldReader, putBytes, putDouble, putUint16, putUint32 } from "./fields.ts";
import { FRAME_HEAD, FrameType } from "./frame-type.ts";

const Flag = { Retain: 4, Plain: 8, Sequence: 16, Groups: 32, Expiry: 64, Stamp: 128 } as const;
const NO_BYTES = new Uint8Array(0);

/** Encodes the texts that one message after the other repeats only once. */
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

/** @param sequence -1: no result is needed */
export function writeForward(outbox: Outbox, message: Message, target: ForwardTarget, sequence: number): void {
  const layout = message.wholeLayout;
  const frame = message.frame(layout) ?? encodePublish(message, layout);
  const publisher = publishers.encode(message.publisher);
  const groups = target.groups?.map((filter) => encodeUtf8(filter));
  const length =
    2 +
    (sequence >= 0 ? 4 : 0) +
    (message.expiresAt === NEVER ? 0 : 8) +
    (target.retainedAt > 0 ? 8 : 0) +
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
  bytes[at++] = layout;
  if (sequence >= 0) at = putUint32(bytes, at, sequence);
  if (message.expiresAt !== NEVER) at = putDouble(bytes, at, message.expiresAt);
  if (target.retainedAt > 0) at = putDouble(bytes, at, target.retainedAt);
  at = putUint16(bytes, at, publisher.length);
  at = putBytes(bytes, at, publisher);
  if (groups !== undefined) {
    at = putUint16(bytes, at, groups.length);
    for (const group of groups) at = putBytes(bytes, putUint16(bytes, at, group.length), group);
  }
  frame.copyTo(bytes, at);
  outbox.position = at + frame.end - frame.start;
}

/** One forwarded message, read. Filled anew each time; texts that repeat are decoded once. */
export class ForwardReader implements ForwardTarget {
  message!: Message;
  plain: boolean = false;
  groups: readonly string[] | undefined = undefined;
  retainedAt: number = 0;
  sequence: number = -1;
  readonly #fields = new FieldReader();
  readonly #topics: TopicTable;
  #publisher = "";
  #publisherBytes: Uint8Array = NO_BYTES;
  #topic: ReturnType<TopicTable["read"]> | undefined;

  constructor(topics: TopicTable) {
    this.#topics = topics;
  }

  /** @throws ClusterError ERR_CLUSTER_FRAME; MqttError for what is not a topic name */
  read(bytes: Uint8Array, start: number, end: number): void {
    const fields = this.#fields.over(bytes, start, end);
    const flags = fields.uint8();
    const layout = fields.uint8();
    const qos = flags & 3;
    if (qos === 3 || layout > 3 || (layout & 1) !== (qos > 0 ? 1 : 0)) throw malformed("flags that do not fit");
    this.sequence = (flags & Flag.Sequence) === 0 ? -1 : fields.uint32();
    const expiresAt = (flags & Flag.Expiry) === 0 ? NEVER : fields.double();
    this.retainedAt = (flags & Flag.Stamp) === 0 ? 0 : fields.double();
    this.plain = (flags & Flag.Plain) !== 0;
    const publisher = this.#readPublisher(fields);
    this.groups = (flags & Flag.Groups) === 0 ? undefined : readGroups(fields);
    this.#readPublish(fields, layout as Layout, qos as QoS, (flags & Flag.Retain) !== 0, expiresAt, publisher);
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
