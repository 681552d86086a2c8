// The retained messages that a new subscription is sent, as many at a time as its client takes.
import type { Message, Millis, SubscriptionRecord } from "@wrenmq/protocol";
import type { TopicWalk } from "@wrenmq/topics";
import type { SessionEntry } from "../sessions/session-entry.ts";
import { Recipient } from "./recipient.ts";
import type { Router } from "./router.ts";

/** Why it has stopped. `blocked`: the client reads no more for now; `spent`: it is the turn of other clients. */
export type RetainedDeliveryEnd = "done" | "blocked" | "congested" | "authorizing" | "spent";

/** What may still be done for one client before it is the others' turn. */
export interface Turn {
  work: number;
}

/** Bytes that are put together before they are written. */
const BURST = 128 * 1024;
/** Places among the retained messages that are looked at in one go. A filter may match nothing among millions of them. */
const LOOKS = 64;
/** The work of having looked at so many for nothing; to send a message is 1. */
const WORK_OF_LOOKS = 16;

export class RetainedDelivery {
  readonly #router: Router;
  readonly #entry: SessionEntry;
  readonly #filter: string;
  readonly #record: SubscriptionRecord;
  /** Both are made when its turn comes: a client may have very many of them scheduled. */
  #recipient: Recipient | undefined = undefined;
  #messages: TopicWalk<Message> | undefined = undefined;

  constructor(router: Router, entry: SessionEntry, filter: string, record: SubscriptionRecord) {
    this.#router = router;
    this.#entry = entry;
    this.#filter = filter;
    this.#record = record;
  }

  /** One loop for all that is done for a message: a broker that has just started compiles it within the first delivery. */
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
      // Draining calls.
      if (link === undefined || link.blocked) return "blocked";
      // Nothing retained is dropped because its client is slow, and what is published meanwhile has room.
      if (!session.hasRoom) return "congested";
      const message = messages.next(LOOKS);
      if (message === undefined) {
        if (messages.done) return "done";
        turn.work -= WORK_OF_LOOKS - 1;
        continue;
      }
      if (message.hasExpired(now)) continue;
      const options = recipient.retainedOptions(message.qos);
      // With access rules each topic has a verdict of its own.
      if (router.checksReceivers) router.deliverAs(recipient.withoutVerdict(), message, options, now, undefined);
      else session.deliver(message, options, now);
      if (entry.pendingAuthorization !== undefined) return "authorizing";
      if (link.outbox.pending > BURST) return "spent";
    }
    return "spent";
  }
}
