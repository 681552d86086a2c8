// Limits new connections per second from one address. An address is dropped when its allowance is complete again, so
// the memory is bounded by the connections of the last second or two.
import type { Millis } from "@wrenmq/protocol";
import { RateLimit } from "../connections/rate-limit.ts";

/** Milliseconds after which the allowance is complete again. */
const REFILL = 1_000;

interface Caller {
  readonly limit: RateLimit;
  last: Millis;
}

export class ConnectionRate {
  readonly #perSecond: number;
  readonly #callers = new Map<string, Caller>();
  #sweptAt: Millis = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Number of addresses in memory. */
  get size(): number {
    return this.#callers.size;
  }

  /** @returns false: one connection too many, to be closed without an answer */
  admits(address: string, now: Millis): boolean {
    this.#sweep(now);
    let caller = this.#callers.get(address);
    if (caller === undefined) {
      caller = { limit: new RateLimit(this.#perSecond, now), last: now };
      this.#callers.set(address, caller);
    }
    if (!caller.limit.takeOne(now)) return false;
    caller.last = now;
    return true;
  }

  #sweep(now: Millis): void {
    if (now - this.#sweptAt < REFILL) return;
    this.#sweptAt = now;
    for (const [address, { last }] of this.#callers) if (now - last >= REFILL) this.#callers.delete(address);
  }
}
