// A bucket of tokens that fills with time: one second's worth at most.
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

  /** Takes tokens, also those that are not there yet. @returns milliseconds until the debt is paid */
  take(count: number, now: Millis): Millis {
    this.#fill(now);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** @returns false: there is none, none was taken */
  takeOne(now: Millis): boolean {
    this.#fill(now);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  #fill(now: Millis): void {
    // A clock that was set back must not take anything away.
    const elapsed = Math.max(0, now - this.#filledAt);
    this.#tokens = Math.min(Math.max(1, this.#perSecond), this.#tokens + (elapsed / 1000) * this.#perSecond);
    this.#filledAt = now;
  }
}
