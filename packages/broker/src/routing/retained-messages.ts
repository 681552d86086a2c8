// The last retained message of each topic. [MQTT5 3.3.1.3]
import type { Message, Millis } from "@wrenmq/protocol";
import { TopicTree, type TopicWalk } from "@wrenmq/topics";

export interface RetainedLimits {
  readonly maxRetainedMessages: number;
  readonly maxRetainedBytes: number;
}

export class RetainedMessages {
  readonly #tree = new TopicTree<Message>((message) => message.topic);
  readonly #limits: () => RetainedLimits;
  /** Bytes of all messages: payloads, topics and properties. */
  bytes: number = 0;

  constructor(limits: () => RetainedLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#tree.size;
  }

  /** @returns false: the limit is reached, and nothing has changed */
  set(message: Message): boolean {
    const previous = this.#put(message);
    const bytes = this.bytes + message.weight - (previous?.weight ?? 0);
    const { maxRetainedMessages, maxRetainedBytes } = this.#limits();
    const isTooMany = maxRetainedMessages > 0 && previous === undefined && this.size > maxRetainedMessages;
    if (isTooMany || (maxRetainedBytes > 0 && bytes > maxRetainedBytes)) {
      if (previous === undefined) this.#tree.delete(message.topic);
      else this.#put(previous);
      return false;
    }
    message.keepEncoded();
    this.bytes = bytes;
    return true;
  }

  /** Sets what another broker has room for: the limit is checked by the broker of the publisher. */
  replicate(message: Message): void {
    const previous = this.#put(message);
    message.keepEncoded();
    this.bytes += message.weight - (previous?.weight ?? 0);
  }

  /** By the bytes of the topic: thousands of names need not become strings. */
  #put(message: Message): Message | undefined {
    const { bytes, start, length } = message.target;
    return this.#tree.setBytes(bytes, start, start + length, message);
  }

  /** @returns was there one? */
  delete(topic: string): boolean {
    const previous = this.#tree.delete(topic);
    if (previous === undefined) return false;
    this.bytes -= previous.weight;
    return true;
  }

  get(topic: string): Message | undefined {
    return this.#tree.get(topic);
  }

  /** Those that match a filter. The iterator may be read in pieces while the tree changes. */
  *matching(filter: string, now: () => Millis): IterableIterator<Message> {
    for (const [, message] of this.#tree.matching(filter)) if (!message.hasExpired(now())) yield message;
  }

  /** `matching` in steps, with expired messages; it can be paused where nothing matches too. */
  walk(filter: string): TopicWalk<Message> {
    return this.#tree.walk(filter);
  }

  *all(): IterableIterator<Message> {
    for (const [, message] of this.#tree.entries()) yield message;
  }

  /** Removes expired messages: each step checks one, and yields its topic if it was removed. */
  *sweep(now: Millis): IterableIterator<string | undefined> {
    for (const [topic, message] of this.#tree.entries()) {
      const hasExpired = message.hasExpired(now);
      if (hasExpired) this.delete(topic);
      yield hasExpired ? topic : undefined;
    }
  }
}
