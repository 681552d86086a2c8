// The retained messages that one connection is still owed, subscription by subscription, as fast as its client takes them.
import type { Millis } from "@wrenmq/protocol";
import type { Replay } from "./replay.ts";
import type { SessionEntry } from "./session-registry.ts";

/** Bytes of retained messages that are put together before they are written. */
const BURST = 128 * 1024;
/** What is done for one client before it is the others' turn, where that does not come to as many bytes. */
const WORK = 4096;
/** A step that has found nothing has looked at many. */
const WORK_OF_SEARCH = 16;

export class Replays {
  readonly #entry: SessionEntry;
  /** Called when it can go on after it had to wait for the queue to get shorter, or for a plugin. */
  readonly #ready: () => void;
  readonly #owed = new Set<Replay>();
  #waits = false;

  constructor(entry: SessionEntry, ready: () => void) {
    this.#entry = entry;
    this.#ready = ready;
  }

  add(replay: Replay): void {
    this.#owed.add(replay);
  }

  /** Subscriptions that are owed any. */
  get size(): number {
    return this.#owed.size;
  }

  /** @returns done: nothing is owed any more; burst: write what there is, then go on; waiting: something will call */
  run(now: Millis): "done" | "burst" | "waiting" {
    if (this.#waits) return "waiting";
    const { session } = this.#entry;
    let work = WORK;
    for (const replay of this.#owed) {
      for (;;) {
        const { link } = session;
        // Draining calls.
        if (link === undefined || link.blocked) return "waiting";
        const step = replay.next(now);
        if (step === "done") break;
        if (step === "congested") {
          this.#waits = true;
          session.whenRelieved(() => this.#goOn());
          return "waiting";
        }
        if (step === "thinking") {
          this.#waits = true;
          void this.#entry.thinking?.then(() => this.#goOn());
          return "waiting";
        }
        work -= step === "searching" ? WORK_OF_SEARCH : 1;
        if (link.outbox.pending > BURST || work <= 0) return "burst";
      }
      this.#owed.delete(replay);
      if (--work <= 0) return "burst";
    }
    return "done";
  }

  #goOn(): void {
    this.#waits = false;
    this.#ready();
  }
}
