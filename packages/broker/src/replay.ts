// The retained messages that a new subscription is sent, one at a time, so that a slow client can take its time.
import type { Message, Millis, SubscriptionRecord } from "@wrenmq/protocol";
import type { TopicWalk } from "@wrenmq/topics";
import { Receiver } from "./receiver.ts";
import type { Router } from "./router.ts";
import type { SessionEntry } from "./session-registry.ts";

/** What came of one step; `searching`: it has looked for a while and found nothing yet. */
export type ReplayStep = "taken" | "searching" | "congested" | "thinking" | "done";

/** Places among the retained messages that one step looks at. A filter may match nothing among millions of them. */
const LOOKS = 64;

export class Replay {
  readonly #router: Router;
  readonly #entry: SessionEntry;
  readonly #filter: string;
  readonly #record: SubscriptionRecord;
  /** Both are made when its turn comes: a client may be owed very many. */
  #receiver: Receiver | undefined = undefined;
  #messages: TopicWalk<Message> | undefined = undefined;

  constructor(router: Router, entry: SessionEntry, filter: string, record: SubscriptionRecord) {
    this.#router = router;
    this.#entry = entry;
    this.#filter = filter;
    this.#record = record;
  }

  next(now: Millis): ReplayStep {
    const router = this.#router;
    this.#messages ??= router.retained.walk(this.#filter);
    const message = this.#messages.next(LOOKS);
    if (message === undefined) return this.#messages.done ? "done" : "searching";
    if (message.hasExpired(now)) return "taken";
    this.#receiver ??= new Receiver(this.#entry, [this.#record]);
    const options = this.#receiver.retainedOptions(message.qos);
    // With access rules each topic has a verdict of its own.
    const congested = router.checksReceivers
      ? router.deliverAs(this.#receiver.unasked(), message, options, now)
      : this.#entry.session.deliver(message, options, now);
    if (congested) return "congested";
    return this.#entry.thinking === undefined ? "taken" : "thinking";
  }
}
