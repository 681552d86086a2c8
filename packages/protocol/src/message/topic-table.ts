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
  /** "a/b" has two. */
  readonly levels: number;
  /** What the router found out about it last time; belongs to the router. */
  route: unknown = undefined;
  readonly #bytes: Uint8Array;
  readonly #start: number;

  /** @param bytes hold the name in UTF-8 from `start` to `end`; they are copied */
  constructor(name: string, bytes: Uint8Array, start: number, end: number, levels: number) {
    this.name = name;
    this.length = end - start;
    this.levels = levels;
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

/** Of topic names and filters, beyond the standard. */
export interface TopicLimits {
  /** Bytes of UTF-8. */
  readonly maxTopicLength: number;
  readonly maxTopicLevels: number;
}

/** Those of the standard: a name has at most 65,535 bytes. */
const UNLIMITED: TopicLimits = { maxTopicLength: 65_535, maxTopicLevels: 65_536 };
const SLASH = 0x2f;

/** Bytes of all names in a table: strangers may send long ones. */
const LARGEST = 32 * 1024 * 1024;

export class TopicTable {
  #bytes = 0;
  readonly #topics = new Map<string, Topic>();
  readonly #limits: () => TopicLimits;
  readonly #capacity: number;
  /** Grows when the table is cleared: whoever keeps a `Topic` may hold one that is not the table's any more. */
  generation: number = 0;

  /** @param limits those of the broker, for names that come by no connection */
  constructor(limits: () => TopicLimits = () => UNLIMITED, capacity: number = 100_000) {
    this.#limits = limits;
    this.#capacity = capacity;
  }

  /**
   * @param limits of the client that names the topic; without them those of the standard
   * @throws MqttError 0x81 for ill-formed text, 0x90 for what is not a topic name or is over the limits
   */
  read(bytes: Uint8Array, start: number, end: number, limits: TopicLimits = UNLIMITED): Topic {
    if (end - start > limits.maxTopicLength) throw overLimits(`${end - start} bytes`);
    const name = decodeUtf8(bytes, start, end);
    const known = this.#topics.get(name);
    const levels = known?.levels ?? levelsOf(bytes, start, end);
    if (levels > limits.maxTopicLevels) throw overLimits(`${levels} levels`);
    if (known !== undefined) return known;
    if (!isTopicName(name)) throw new MqttError(ReasonCode.TopicNameInvalid, "not a valid topic name");
    return this.#add(name, bytes, start, end, levels);
  }

  /**
   * @param limits other than those of the broker
   * @returns undefined when `name` is not a valid topic name, or is over the limits
   */
  find(name: string, limits: TopicLimits = this.#limits()): Topic | undefined {
    const known = this.#topics.get(name);
    if (known !== undefined) return isWithin(known.length, known.levels, limits) ? known : undefined;
    if (!isTopicName(name)) return undefined;
    const bytes = encodeUtf8(name);
    const levels = levelsOf(bytes, 0, bytes.length);
    return isWithin(bytes.length, levels, limits) ? this.#add(name, bytes, 0, bytes.length, levels) : undefined;
  }

  /** A name that was valid under the limits of its time. @returns undefined when it is no topic name */
  restore(name: string): Topic | undefined {
    return this.find(name, UNLIMITED);
  }

  /** The topic if it is in the table. */
  peek(name: string): Topic | undefined {
    return this.#topics.get(name);
  }

  #add(name: string, bytes: Uint8Array, start: number, end: number, levels: number): Topic {
    if (this.#topics.size >= this.#capacity || this.#bytes > LARGEST) {
      this.#topics.clear();
      this.#bytes = 0;
      this.generation++;
    }
    this.#bytes += end - start;
    const topic = new Topic(name, bytes, start, end, levels);
    this.#topics.set(name, topic);
    return topic;
  }
}

function levelsOf(bytes: Uint8Array, start: number, end: number): number {
  let levels = 1;
  for (let index = start; index < end; index++) if (bytes[index] === SLASH) levels++;
  return levels;
}

function isWithin(length: number, levels: number, { maxTopicLength, maxTopicLevels }: TopicLimits): boolean {
  return length <= maxTopicLength && levels <= maxTopicLevels;
}

function overLimits(what: string): MqttError {
  return new MqttError(ReasonCode.TopicNameInvalid, `topic name of ${what} is over the limit`);
}
