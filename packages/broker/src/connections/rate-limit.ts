// A token bucket that holds at most one second's worth.
import type { Millis } from "@wrenmq/protocol";

export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: Millis;

  constructor(perSecond: number, now: Millis) {
    this.#perSecond = perSecond;
    this.#tokens = Math.max(1, perSecond);
    this.#filledAt = now;
  }

  /**
   * Takes tokens, even more than there are.
   * @returns milliseconds until the debt is paid
   */
  take(count: number, now: Millis): Millis {
    this.#fill(now);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** @returns false: there was no token to take */
  takeOne(now: Millis): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #fill(now: Millis): void {
    // A clock that was set back must not remove tokens.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(Math.max(1, this.#perSecond), this.#tokens + (elapsed / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
