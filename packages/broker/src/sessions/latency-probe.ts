// Measures how long messages take through the broker: from the read that holds their PUBLISH to their last write. Follows
// one read at a time, and taps messages only while that read is handled.
//
//   idle ─ begin ─► reading ─ end ─► writing ─ the last outbox is written ─► idle
//                      └─ park ─► parked ─ resume ─► reading     a plugin decides about the message later
import type { Counters, Millis, Outbox } from "@wrenmq/protocol";
import type { Flusher } from "../runtime/flusher.ts";
import type { DeliveryFacts, MessageTap, MessageTaps } from "./message-taps.ts";
import type { SessionRegistry } from "./session-registry.ts";

/** Milliseconds between two samples, with a random part: publishers that keep time are not met at the same phase. */
const PAUSE = 5;
const JITTER = 10;
/** Milliseconds until the next read is tried when one delivered nothing. */
const RETRY = 1;
/** Outboxes of one read that are waited for. */
const MOST_OUTBOXES = 10_000;

export interface LatencyParts {
  readonly counters: Counters;
  readonly taps: MessageTaps;
  readonly registry: SessionRegistry;
  readonly flusher: Flusher;
}

export class LatencyProbe implements MessageTap {
  readonly #parts: LatencyParts;
  readonly #watchers = new Set<(milliseconds: number) => void>();
  readonly #outboxes = new Set<Outbox>();
  #state: "idle" | "reading" | "parked" | "writing" = "idle";
  #since = 0;
  /** PUBLISH packets before this read. */
  #received = 0;
  #due: Millis = 0;
  #now: Millis = 0;

  constructor(parts: LatencyParts) {
    this.#parts = parts;
  }

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  watch(callback: (milliseconds: number) => void): void {
    this.#watchers.add(callback);
  }

  /** Without a watcher what is under way is given up. */
  unwatch(callback: (milliseconds: number) => void): void {
    this.#watchers.delete(callback);
    if (!this.isWatched) this.#rest();
  }

  /**
   * A read is about to be handled.
   * @returns true: it is the one that is followed; call `end` after it
   */
  begin(now: Millis): boolean {
    const wait = this.#due - now;
    // A longer wait than ever was set: the clock has been set back.
    if (this.#state !== "idle" || (wait > 0 && wait <= PAUSE + JITTER)) return false;
    this.#now = now;
    this.#due = now + RETRY;
    this.#received = this.#parts.counters.publishReceived;
    this.#since = performance.now();
    this.#read();
    return true;
  }

  /** The read, or the message that was parked, has been handled. */
  end(): void {
    this.#parts.taps.delete(this);
    if (this.#state !== "reading") return;
    // Without a PUBLISH it was something else that made messages, such as retained ones for a subscription.
    if (this.#outboxes.size === 0 || this.#parts.counters.publishReceived === this.#received) {
      this.#rest();
      return;
    }
    this.#due = this.#now + PAUSE + Math.floor(Math.random() * JITTER);
    this.#state = "writing";
    const { flusher } = this.#parts;
    flusher.whenFlushed = () => this.#flushed();
    // Large packets have been written already: no end of a turn may come.
    if ([...this.#outboxes].every(({ pending }) => pending === 0)) this.#flushed();
  }

  /**
   * The message that is being handled waits for a decision.
   * @returns undefined: it is not followed; else call `resume` and `end` around what is done after the decision
   */
  park(): this | undefined {
    if (this.#state !== "reading") return undefined;
    this.#state = "parked";
    return this;
  }

  resume(): void {
    if (this.#state === "parked") this.#read();
  }

  delivered(clientId: string, _message: unknown, { waited }: DeliveryFacts): void {
    if (waited || this.#outboxes.size >= MOST_OUTBOXES) return;
    const outbox = this.#parts.registry.get(clientId)?.session.link?.outbox;
    if (outbox !== undefined) this.#outboxes.add(outbox);
  }

  queued(): void {}

  dropped(): void {}

  #read(): void {
    this.#state = "reading";
    this.#parts.taps.add(this);
  }

  /** The turn has written what it could. What is not durable yet is held; what a client does not read is not waited for. */
  #flushed(): void {
    for (const outbox of this.#outboxes) {
      if (outbox.holds === 0 || outbox.pending === 0) this.#outboxes.delete(outbox);
    }
    if (this.#outboxes.size > 0) return;
    const milliseconds = performance.now() - this.#since;
    this.#rest();
    for (const watcher of [...this.#watchers]) watcher(milliseconds);
  }

  #rest(): void {
    const { taps, flusher } = this.#parts;
    taps.delete(this);
    if (this.#state === "writing") flusher.whenFlushed = undefined;
    this.#state = "idle";
    this.#outboxes.clear();
  }
}
