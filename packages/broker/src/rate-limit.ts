// A bucket of tokens that fills with time: one second's worth at most.
import type { Millis } from "@wrenmq/protocol";

export class RateLimit {
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: Millis;

  constructor(perSecond: number, now: Millis) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = now;
  }

  /** Takes tokens, also those that are not there yet. @returns milliseconds until the debt is paid */
  take(count: number, now: Millis): Millis {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#filledAt) / 1000) * this.#perSecond) - count;
    this.#filledAt = now;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }
}
