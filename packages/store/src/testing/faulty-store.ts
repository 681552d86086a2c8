// A store that fails or delays commits on demand, around one that works.
import type { SessionSnapshot, StoredMessage } from "@wrenmq/protocol";
import type { OriginRecord, OutboxMessage, RetainedStamp } from "../outbox.ts";
import { type QueuedMessage, type Store, StoreError, type StoreOp, type StoreStats } from "../store.ts";

export class FaultyStore implements Store {
  /** Every batch that was passed to it, with those that failed. */
  readonly batches: (readonly StoreOp[])[] = [];
  readonly #inner: Store;
  #failing: { left: number; readonly error: StoreError; readonly rejects: boolean } | undefined;
  #held: (() => void)[] | undefined;

  constructor(inner: Store) {
    this.#inner = inner;
  }

  /** The next `count` batches fail and are not applied: by throwing, or with `rejects` by a rejected promise. */
  failNext(count = 1, options: { readonly error?: StoreError; readonly rejects?: boolean } = {}): void {
    const error = options.error ?? new StoreError("ERR_STORE_FULL", "told to fail");
    this.#failing = { left: count, error, rejects: options.rejects ?? false };
  }

  /** From now on batches are applied, but their promise waits for `releaseCommits`. */
  holdCommits(): void {
    this.#held ??= [];
  }

  /** Number of waiting commits. */
  get heldCommits(): number {
    return this.#held?.length ?? 0;
  }

  /** Releases the first `count` waiting commits; without `count` all of them, and later ones do not wait. */
  releaseCommits(count?: number): void {
    const held = this.#held ?? [];
    if (count === undefined) this.#held = undefined;
    for (const release of held.splice(0, count ?? held.length)) release();
  }

  apply(batch: readonly StoreOp[]): undefined | Promise<void> {
    this.batches.push(batch);
    const failing = this.#failing;
    if (failing !== undefined && failing.left > 0) {
      failing.left--;
      if (failing.rejects) return Promise.reject(failing.error);
      throw failing.error;
    }
    const durable = this.#inner.apply(batch);
    const held = this.#held;
    if (held === undefined) return durable;
    const released = new Promise<void>((resolve) => held.push(resolve));
    return released.then(() => durable);
  }

  open(): void | Promise<void> {
    return this.#inner.open();
  }

  /** Waiting commits are released first. */
  close(): void | Promise<void> {
    this.releaseCommits();
    return this.#inner.close();
  }

  sessions(): Iterable<SessionSnapshot> {
    return this.#inner.sessions();
  }

  retained(): Iterable<StoredMessage> {
    return this.#inner.retained();
  }

  retainedStamps(): Iterable<RetainedStamp> {
    return this.#inner.retainedStamps();
  }

  queue(clientId: string, after: number, limit: number): readonly QueuedMessage[] {
    return this.#inner.queue(clientId, after, limit);
  }

  message(clientId: string, seq: number): StoredMessage | undefined {
    return this.#inner.message(clientId, seq);
  }

  outbox(): Iterable<OutboxMessage> {
    return this.#inner.outbox();
  }

  origins(): Iterable<OriginRecord> {
    return this.#inner.origins();
  }

  identity(): string | undefined {
    return this.#inner.identity();
  }

  stats(): StoreStats {
    return this.#inner.stats();
  }
}
