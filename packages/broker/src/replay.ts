// The retained messages that a new subscription is sent, one at a time, so that a slow client can take its time.
import type { Message, Millis, SubscriptionRecord } from "@wrenmq/protocol";
import type { TopicWalk } from "@wrenmq/topics";
import { Receiver } from "./receiver.ts";
import type { Router } from "./router.ts";
import type { SessionEntry } from "./session-registry.ts";

/** What came of one step. */
export type ReplayStep = "taken" | "congested" | "thinking" | "done";

export class Replay {
  readonly #router: Router;
  readonly #entry: SessionEntry;
  readonly #receiver: Receiver;
  readonly #messages: TopicWalk<Message>;

  constructor(router: Router, entry: SessionEntry, record: SubscriptionRecord, messages: TopicWalk<Message>) {
    this.#router = router;
    this.#entry = entry;
    this.#receiver = new Receiver(entry, [record]);
    this.#messages = messages;
  }

  next(now: Millis): ReplayStep {
    const message = this.#messages.next();
    if (message === undefined) return "done";
    if (message.hasExpired(now)) return "taken";
    const options = this.#receiver.retainedOptions(message.qos);
    const router = this.#router;
    // With access rules each topic has a verdict of its own.
    const congested = router.checksReceivers
      ? router.deliverAs(this.#receiver.unasked(), message, options, now)
      : this.#entry.session.deliver(message, options, now);
    if (congested) return "congested";
    return this.#entry.thinking === undefined ? "taken" : "thinking";
  }
}
