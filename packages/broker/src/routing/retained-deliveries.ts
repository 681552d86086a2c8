// The retained messages that are scheduled for one connection: delivers them subscription by subscription, as fast as
// the client reads.
import type { Millis } from "@wrenmq/protocol";
import type { SessionEntry } from "../sessions/session-entry.ts";
import type { RetainedDelivery, Turn } from "./retained-delivery.ts";

/** Work for one client in one turn of the event loop: messages sent, and subscriptions without any. */
const WORK = 4096;

export class RetainedDeliveries {
  readonly #entry: SessionEntry;
  /** Called when delivery can continue after it has waited for the queue to get shorter, or for a plugin. */
  readonly #ready: () => void;
  readonly #scheduled = new Set<RetainedDelivery>();
  #waits = false;

  constructor(entry: SessionEntry, ready: () => void) {
    this.#entry = entry;
    this.#ready = ready;
  }

  add(delivery: RetainedDelivery): void {
    this.#scheduled.add(delivery);
  }

  /** Number of subscriptions whose retained messages have not all been sent. */
  get size(): number {
    return this.#scheduled.size;
  }

  /** @returns done: all are sent; burst: write what there is, then call again; waiting: `ready` will be called */
  run(now: Millis): "done" | "burst" | "waiting" {
    if (this.#waits) return "waiting";
    const turn: Turn = { work: WORK };
    for (const delivery of this.#scheduled) {
      const end = delivery.run(turn, now);
      if (end === "spent") return "burst";
      if (end === "blocked") return "waiting";
      if (end === "congested") {
        this.#waits = true;
        this.#entry.session.whenRoom(() => this.#goOn());
        return "waiting";
      }
      if (end === "authorizing") {
        this.#waits = true;
        void this.#entry.pendingAuthorization?.then(() => this.#goOn());
        return "waiting";
      }
      this.#scheduled.delete(delivery);
      turn.work--;
    }
    return "done";
  }

  #goOn(): void {
    this.#waits = false;
    this.#ready();
  }
}
