// The retained messages that a new subscription is sent, one at a time, so that a slow client can take its time.
import type { Message, Millis, SubscriptionRecord } from "@wrenmq/protocol";
import type { Router } from "./router.ts";
import { Receiver, replayOptions } from "./routes.ts";
import type { SessionEntry } from "./session-registry.ts";

/** What came of one step. */
export type ReplayStep = "delivered" | "congested" | "done";

export class Replay {
  readonly #router: Router;
  readonly #entry: SessionEntry;
  readonly #record: SubscriptionRecord;
  readonly #messages: Iterator<Message>;
  readonly #now: () => Millis;

  constructor(
    router: Router,
    entry: SessionEntry,
    record: SubscriptionRecord,
    messages: Iterator<Message>,
    now: () => Millis,
  ) {
    this.#router = router;
    this.#entry = entry;
    this.#record = record;
    this.#messages = messages;
    this.#now = now;
  }

  next(): ReplayStep {
    const { value: message, done } = this.#messages.next();
    if (done === true) return "done";
    const options = replayOptions(this.#record, message.qos);
    const router = this.#router;
    // With access rules each topic has a verdict of its own.
    const congested = router.checksReceivers
      ? router.deliverAs(new Receiver(this.#entry, [this.#record]), message, options, this.#now())
      : this.#entry.session.deliver(message, options, this.#now());
    return congested ? "congested" : "delivered";
  }
}
