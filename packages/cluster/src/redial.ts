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

export class Redial<Link extends object, Peer extends object> {
  readonly #dial: (peer: Peer, retry: number) => void;
  readonly #waiting = new Set<() => void>();
  /** Links that were made here, with their peer and the pause to use if they end too early. */
  readonly #made = new WeakMap<Link, { readonly peer: Peer; readonly retry: number }>();

  constructor(dial: (peer: Peer, retry: number) => void) {
    this.#dial = dial;
  }

  made(link: Link, peer: Peer, retry: number): void {
    this.#made.set(link, { peer, retry });
  }

  /** The link has ended before the peer's greeting. */
  endedEarly(link: Link, clock: Clock): void {
    const made = this.#made.get(link);
    if (made !== undefined) this.later(made.peer, made.retry, clock);
  }

  later(peer: Peer, retry: number, clock: Clock): void {
    const cancel = clock.at(clock.now() + retry, () => {
      this.#waiting.delete(cancel);
      this.#dial(peer, Math.min(retry * 2, LAST_RETRY));
    });
    this.#waiting.add(cancel);
  }

  stop(): void {
    for (const cancel of this.#waiting) cancel();
    this.#waiting.clear();
  }
}
