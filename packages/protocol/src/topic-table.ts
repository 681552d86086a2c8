// Topic names that are in use, each decoded and validated once. A client publishes to few topics many times: comparing
// bytes with the name of last time is cheaper than decoding, checking and hashing a string for every message.
import { decodeUtf8, encodeUtf8, MqttError, ReasonCode } from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import { copyBytes } from "./copy-bytes.ts";

/** A topic name that is known to be valid. One object per name, until the table is cleared. */
export class Topic {
  readonly name: string;
  /** UTF-8, without a length. */
  readonly bytes: Uint8Array;
  /** What the router found out about it last time; belongs to the router. */
  route: unknown = undefined;

  constructor(name: string, bytes: Uint8Array) {
    this.name = name;
    this.bytes = bytes;
  }

  /** Is this the name that lies between `start` and `end`? */
  equals(bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes;
    const length = own.length;
    if (end - start !== length) return false;
    // Names that differ mostly differ at their end.
    for (let index = length - 1; index >= 0; index--) if (own[index] !== bytes[start + index]) return false;
    return true;
  }
}

export interface TopicLimits {
  /** Bytes of UTF-8. */
  readonly maxLength: number;
  readonly maxLevels: number;
}

export class TopicTable {
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
    return this.#add(name, copyBytes(bytes, start, end));
  }

  /** undefined when `name` is not a valid topic name. */
  find(name: string): Topic | undefined {
    const known = this.#topics.get(name);
    if (known !== undefined) return known;
    return isTopicName(name, this.#limits) ? this.#add(name, encodeUtf8(name)) : undefined;
  }

  /** The topic if it is in the table. */
  peek(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  #add(name: string, bytes: Uint8Array): Topic {
    if (this.#topics.size >= this.#capacity) {
      this.#topics.clear();
      this.generation++;
    }
    const topic = new Topic(name, bytes);
    this.#topics.set(name, topic);
    return topic;
  }
}
