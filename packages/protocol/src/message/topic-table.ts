// Topic names that are in use, each decoded and validated once. A client publishes to few topics many times: comparing
// bytes with the name of last time is cheaper than decoding, checking and hashing a string for every message.
import { decodeUtf8, encodeUtf8, MqttError, ReasonCode } from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import { keepBytes, kept } from "../memory/byte-pool.ts";

/** A topic name that is known to be valid. One object per name, until the table is cleared. */
export class Topic {
  readonly name: string;
  /** Bytes of UTF-8. */
  readonly length: number;
  /** What the router found out about it last time; belongs to the router. */
  route: unknown = undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;

  /** @param bytes hold the name in UTF-8 from `start` to `end`; they are copied */
  constructor(name: string, bytes: Uint8Array, start: number, end: number) {
    this.name = name;
    this.length = end - start;
    keepBytes(bytes, start, end);
    this.#bytes = kept.bytes;
    this.#start = kept.start;
  }

  /** Is this the name that lies between `start` and `end`? */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.length) return false;
    const own = this.#bytes;
    const shift = this.#start - start;
    // Names that differ mostly differ at their end.
    for (let index = end - 1; index >= start; index--) if (own[index + shift] !== bytes[index]) return false;
    return true;
  }

  /** Writes the name, without its length. @returns where it ends */
  write(target: Uint8Array, position: number): number {
    target.set(this.#bytes.subarray(this.#start, this.#start + this.length), position);
    return position + this.length;
  }
}

export interface TopicLimits {
  /** Bytes of UTF-8. */
  readonly maxLength: number;
  readonly maxLevels: number;
}

/** Bytes of all names in a table: strangers may send long ones. */
const LARGEST = 32 * 1024 * 1024;

export class TopicTable {
  #bytes = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #limits: TopicLimits;
  readonly #capacity: number;
  /** Grows when the table is cleared: whoever keeps a `Topic` may hold one that is not the table's any more. */
  generation: number = 0;

  constructor(limits: TopicLimits = { maxLength: 65_535, maxLevels: 65_536 }, capacity: number = 100_000) {
    this.#limits = limits;
    this.#capacity = capacity;
  }

  /** @throws MqttError 0x81 for ill-formed text, 0x90 for what is not a topic name or is over the limits */
  read(bytes: Uint8Array, start: number, end: number): Topic {
    if (end - start > this.#limits.maxLength) {
      throw new MqttError(ReasonCode.TopicNameInvalid, `topic name of ${end - start} bytes is over the limit`);
    }
    const name = decodeUtf8(bytes, start, end);
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    if (!isTopicName(name, this.#limits)) throw new MqttError(ReasonCode.TopicNameInvalid, "not a valid topic name");
    return this.#add(name, bytes, start, end);
  }

  /** undefined when `name` is not a valid topic name. */
  find(name: string): Topic | undefined {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    if (!isTopicName(name, this.#limits)) return undefined;
    const bytes = encodeUtf8(name);
    if (bytes.length > this.#limits.maxLength) return undefined;
    return this.#add(name, bytes, 0, bytes.length);
  }

  /** The topic if it is in the table. */
  peek(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  #add(name: string, bytes: Uint8Array, start: number, end: number): Topic {
    if (this.#topics.size >= this.#capacity || this.#bytes > LARGEST) {
      this.#topics.clear();
      this.#bytes = 0;
      this.generation++;
    }
    this.#bytes += end - start;
    const topic = new Topic(name, bytes, start, end);
    this.#topics.set(name, topic);
    return topic;
  }
}
