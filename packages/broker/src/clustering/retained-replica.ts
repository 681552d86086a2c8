// Keeps retained messages the same on all brokers: each has all of them. When two set the same topic at about the same
// time the later stamp wins everywhere; clearings are remembered until all brokers know them.
import { type RetainedFact, Stamps, UNDATED } from "@wrenmq/cluster";
import { Message, type Millis, NEVER, type TopicTable } from "@wrenmq/protocol";
import type { RetainedStamp } from "@wrenmq/store";
import type { RetainedMessages } from "../routing/retained-messages.ts";

/** Milliseconds for which a clearing is remembered at least. */
const CLEARING_AGE = 60_000;
const NO_BYTES = new Uint8Array(0);

export class RetainedReplica {
  readonly #messages: RetainedMessages;
  readonly #stamps: Stamps;
  /** When each topic was set; a message without an entry was found in the store. */
  readonly #set = new Map<string, number>();
  readonly #cleared = new Map<string, { readonly stamp: number; readonly at: Millis }>();

  constructor(messages: RetainedMessages, node: number) {
    this.#messages = messages;
    this.#stamps = new Stamps(node);
  }

  /** Restores what was known before the start. */
  restore(stamps: Iterable<RetainedStamp>, now: Millis): void {
    for (const { topic, setAt, isSet } of stamps) {
      this.#stamps.seen(setAt);
      this.changed(topic, setAt, isSet, now);
    }
  }

  /** A stamp for a change of this broker. */
  stamp(now: Millis): number {
    return this.#stamps.next(now);
  }

  /** @returns false: something later is known */
  supersedes(topic: string, stamp: number): boolean {
    this.#stamps.seen(stamp);
    return stamp > this.#known(topic);
  }

  /** The topic was set or cleared on this broker. */
  changed(topic: string, stamp: number, isSet: boolean, now: Millis): void {
    if (isSet) {
      this.#set.set(topic, stamp);
      this.#cleared.delete(topic);
    } else {
      this.#set.delete(topic);
      this.#cleared.set(topic, { stamp, at: now });
    }
  }

  /** What this broker knows of the topics that `concerns` selects. */
  *facts(topics: TopicTable, concerns: (topic: string) => boolean): IterableIterator<RetainedFact> {
    for (const [topic, { stamp }] of [...this.#cleared]) {
      const target = concerns(topic) ? topics.restore(topic) : undefined;
      if (target !== undefined) yield { message: clearing(target), stamp };
    }
    for (const message of this.#messages.all()) {
      if (concerns(message.topic)) yield { message, stamp: this.#set.get(message.topic) ?? UNDATED };
    }
  }

  /**
   * Forgets stamps that are not needed any more, a topic per step.
   * @param allKnow are all brokers connected?
   * @param forget called for a topic about which nothing has to be stored any more
   */
  *sweep(now: Millis, allKnow: boolean, forget: (topic: string) => void): IterableIterator<void> {
    for (const topic of this.#set.keys()) {
      if (this.#messages.get(topic) === undefined) this.#set.delete(topic);
      yield;
    }
    if (!allKnow) return;
    for (const [topic, { at }] of this.#cleared) {
      if (at + CLEARING_AGE <= now && this.#cleared.delete(topic)) forget(topic);
      yield;
    }
  }

  #known(topic: string): number {
    const stamp = this.#set.get(topic) ?? this.#cleared.get(topic)?.stamp;
    return stamp ?? (this.#messages.get(topic) === undefined ? 0 : UNDATED);
  }
}

function clearing(target: ConstructorParameters<typeof Message>[0]): Message {
  return Message.of(target, {
    payload: NO_BYTES,
    qos: 0,
    retain: true,
    properties: undefined,
    expiresAt: NEVER,
    publisher: "",
  });
}
