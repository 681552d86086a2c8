// Topic names that are used repeatedly: each is validated once, and the router stores its route with it. A client
// publishes to a few topics many times, but many clients together to very many topics: rare ones are validated each
// time, which has to be cheap, and are not stored.
import { encodeUtf8 } from "@wrenmq/codec";
import { isTopicName } from "@wrenmq/topics";
import { FrequentCache } from "../memory/frequent-cache.ts";
import { nameHash } from "./name-hash.ts";
import { Topic } from "./topic.ts";
import { checkLimits, checkTopicName, isWithin, type TopicLimits, UNLIMITED } from "./valid-name.ts";

/** More topics would be found no faster than validated: they would not fit into the processor's caches. */
const MOST = 4_096;
/** Bytes of all names: strangers may send long ones. */
const MOST_BYTES = 1024 * 1024;
/** Bytes of a name that is worth keeping. */
const LARGEST = 1_024;
/** Names are kept in chunks of their own: a name would hold on to the payloads around it for as long as it is used. */
const CHUNK = 2_048;

export class TopicTable {
  readonly #topics: FrequentCache<Topic>;
  readonly #limits: () => TopicLimits;
  #chunk = new Uint8Array(0);
  #used = 0;

  /** @param limits those of the broker, for names that do not come from a connection */
  constructor(limits: () => TopicLimits = () => UNLIMITED, capacity: number = MOST) {
    this.#limits = limits;
    this.#topics = new FrequentCache({ entries: capacity, weight: MOST_BYTES, largest: LARGEST });
  }

  /** Topics that are kept here. */
  get size(): number {
    return this.#topics.size;
  }

  /**
   * The topic whose name lies between `start` and `end`; it may be one that only borrows those bytes (`Topic.kept`).
   * @param limits of the client that names the topic; without them those of the standard
   * @throws MqttError 0x81 for ill-formed text, 0x90 for what is not a topic name or is over the limits
   */
  read(bytes: Uint8Array, start: number, end: number, limits: TopicLimits = UNLIMITED): Topic {
    const hash = nameHash(bytes, start, end);
    const known = this.#topics.get(hash);
    if (known?.equals(bytes, start, end) === true) {
      checkLimits(bytes, start, end, limits);
      return known;
    }
    checkTopicName(bytes, start, end, limits);
    const topic = new Topic(bytes, start, end - start, false);
    this.#offer(topic, hash);
    return topic;
  }

  /**
   * A topic that may be held on to.
   * @param limits other than those of the broker
   * @returns undefined when `name` is not a valid topic name, or is over the limits
   */
  find(name: string, limits: TopicLimits = this.#limits()): Topic | undefined {
    if (!isTopicName(name)) return undefined;
    const bytes = encodeUtf8(name);
    const { length } = bytes;
    if (!isWithin(bytes, 0, length, limits)) return undefined;
    const hash = nameHash(bytes, 0, length);
    const known = this.#topics.get(hash);
    if (known?.equals(bytes, 0, length) === true) return known;
    const topic = new Topic(bytes, 0, length, false, name);
    this.#offer(topic, hash);
    topic.keep();
    return topic;
  }

  /** A name that was valid under the limits of its time. @returns undefined when it is no topic name */
  restore(name: string): Topic | undefined {
    return this.find(name, UNLIMITED);
  }

  #offer(topic: Topic, hash: number): void {
    const { length } = topic;
    if (!this.#topics.admits(hash, length)) return;
    if (this.#used + length > this.#chunk.length) {
      this.#chunk = new Uint8Array(Math.max(CHUNK, length));
      this.#used = 0;
    }
    topic.write(this.#chunk, this.#used);
    topic.keepAt(this.#chunk, this.#used);
    this.#used += length;
    this.#topics.add(hash, length, topic);
  }
}
