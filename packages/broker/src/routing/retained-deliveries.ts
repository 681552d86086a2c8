// The retained messages that one connection is still owed, subscription by subscription, as fast as its client takes them.
import type { Millis } from "@wrenmq/protocol";
import type { SessionEntry } from "../sessions/session-registry.ts";
import type { RetainedDelivery, Turn } from "./retained-delivery.ts";

/** What is done for one client in one turn of the event loop: messages sent, subscriptions for which there are none. */
const WORK = 4096;

export class RetainedDeliveries {
  readonly #entry: SessionEntry;
  /** Called when it can go on after it had to wait for the queue to get shorter, or for a plugin. */
  readonly #ready: () => void;
  readonly #scheduledRetained = new Set<RetainedDelivery>();
  #waits = false;

  constructor(entry: SessionEntry, ready: () => void) {
    this.#entry = entry;
    this.#ready = ready;
  }

  add(replay: RetainedDelivery): void {
    this.#scheduledRetained.add(replay);
  }

  /** Subscriptions that are owed any. */
  get size(): number {
    return this.#scheduledRetained.size;
  }

  /** @returns done: nothing is owed any more; burst: write what there is, then go on; waiting: something will call */
  run(now: Millis): "done" | "burst" | "waiting" {
    if (this.#waits) return "waiting";
    const turn: Turn = { work: WORK };
    for (const replay of this.#scheduledRetained) {
      const end = replay.run(turn, now);
      if (end === "spent") return "burst";
      if (end === "blocked") return "waiting";
      if (end === "congested") {
        this.#waits = true;
        this.#entry.session.whenRelieved(() => this.#goOn());
        return "waiting";
      }
      if (end === "thinking") {
        this.#waits = true;
        void this.#entry.pendingAuthorization?.then(() => this.#goOn());
        return "waiting";
      }
      this.#scheduledRetained.delete(replay);
      turn.work--;
    }
    return "done";
  }

  #goOn(): void {
    this.#waits = false;
    this.#ready();
  }
}
