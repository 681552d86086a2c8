// Reconnects to peers after a failed connection, or after a link that ended before the peer's greeting, with growing
// pauses.
import type { Millis } from "@wrenmq/protocol";

/** Milliseconds. */
export const FIRST_RETRY = 10;
const LAST_RETRY = 500;

export interface Clock {
  now(): Millis;
  at(time: Millis, callback: () => void): () => void;
}

export class Redial<Link extends object> {
  readonly #dial: (id: number, retry: number) => void;
  readonly #waiting = new Set<() => void>();
  /** Links that were made here, with their peer and the pause to use if they end too early. */
  readonly #made = new WeakMap<Link, { readonly id: number; readonly retry: number }>();

  constructor(dial: (id: number, retry: number) => void) {
    this.#dial = dial;
  }

  made(link: Link, id: number, retry: number): void {
    this.#made.set(link, { id, retry });
  }

  /** The link has ended before the peer's greeting. */
  endedEarly(link: Link, clock: Clock): void {
    const made = this.#made.get(link);
    if (made !== undefined) this.later(made.id, made.retry, clock);
  }

  later(id: number, retry: number, clock: Clock): void {
    const cancel = clock.at(clock.now() + retry, () => {
      this.#waiting.delete(cancel);
      this.#dial(id, Math.min(retry * 2, LAST_RETRY));
    });
    this.#waiting.add(cancel);
  }

  stop(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }
}
