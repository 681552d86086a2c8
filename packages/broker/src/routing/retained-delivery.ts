// Delivers the retained messages of a new subscription, as many at a time as the client reads.
import type { Message, Millis, SubscriptionRecord } from "@wrenmq/protocol";
import type { TopicWalk } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { Recipient } from "./recipient.ts";
import type { Router } from "./router.ts";

/** Why it has stopped. `blocked`: the client does not read; `spent`: other clients have their turn. */
export type RetainedDeliveryEnd = "done" | "blocked" | "congested" | "authorizing" | "spent";

/** Work that may still be done for one client in this turn. */
export interface Turn {
  work: number;
}

/** Bytes that are collected before they are written. */
const BURST = 128 * 1024;
/** Retained messages that are examined in one step: a filter may match none of millions. */
const LOOKS = 64;
/** The cost of such a step without a match, relative to sending a message. */
const WORK_OF_LOOKS = 16;

export class RetainedDelivery {
  readonly #router: Router;
  readonly #entry: SessionEntry;
  readonly #filter: string;
  readonly #record: SubscriptionRecord;
  /** Made when delivery begins: a client may have very many scheduled. */
  #recipient: Recipient | undefined = undefined;
  #messages: TopicWalk<Message> | undefined = undefined;

  constructor(router: Router, entry: SessionEntry, filter: string, record: SubscriptionRecord) {
    this.#router = router;
    this.#entry = entry;
    this.#filter = filter;
    this.#record = record;
  }

  /**
   * One loop with all that is done for a message: a broker that has just started compiles it within the first delivery.
   */
  run(turn: Turn, now: Millis): RetainedDeliveryEnd {
    const router = this.#router;
    const entry = this.#entry;
    const { session } = entry;
    this.#messages ??= router.retained.walk(this.#filter);
    this.#recipient ??= new Recipient(entry, [this.#record]);
    const messages = this.#messages;
    const recipient = this.#recipient;
    for (; turn.work > 0; turn.work--) {
      const { link } = session;
      // The outbox's drain event continues.
      if (link === undefined || link.blocked) return "blocked";
      // No retained message is dropped because its client is slow, and there is room for new messages.
      if (!session.hasRoom) return "congested";
      const message = messages.next(LOOKS);
      if (message === undefined) {
        if (messages.done) return "done";
        turn.work -= WORK_OF_LOOKS - 1;
        continue;
      }
      if (message.hasExpired(now)) continue;
      const options = recipient.retainedOptions(message.qos);
      // With access rules each topic has its own verdict.
      if (router.checksReceivers) router.deliverAs(recipient.withoutVerdict(), message, options, now, undefined);
      else session.deliver(message, options, now);
      if (entry.pendingAuthorization !== undefined) return "authorizing";
      if (link.outbox.pending > BURST) return "spent";
    }
    return "spent";
  }
}
