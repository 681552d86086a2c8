// Rate limits per address and per token. Memory is bounded: an entry that is dropped starts again from zero.
import { AdminError } from "../admin-error.ts";

/** Invalid tokens of one address within a minute; after that it is refused until the minute is over. */
const MOST_FAILURES = 10;
const WINDOW = 60_000;
/** Requests per second of one caller, and how many may come at once. */
const PER_SECOND = 50;
const BURST = 200;
const REMEMBERED = 1_000;

export class FailureLimit {
  readonly #failures = new Map<string, { count: number; readonly until: number }>();

  /** @throws AdminError too_many_requests */
  check(address: string, now: number): void {
    const known = this.#failures.get(address);
    if (known === undefined || known.count < MOST_FAILURES) return;
    if (known.until > now) {
      throw new AdminError("too_many_requests", "too many wrong tokens came from this address", {
        retryAfter: Math.ceil((known.until - now) / 1000),
      });
    }
    this.#failures.delete(address);
  }

  failed(address: string, now: number): void {
    const known = this.#failures.get(address);
    if (known !== undefined && known.until > now) known.count++;
    else {
      this.#failures.delete(address);
      this.#failures.set(address, { count: 1, until: now + WINDOW });
      forgetOldest(this.#failures);
    }
  }
}

export class RequestRate {
  readonly #callers = new Map<string, { tokens: number; at: number }>();

  /** @throws AdminError too_many_requests */
  take(caller: string, now: number): void {
    let bucket = this.#callers.get(caller);
    if (bucket === undefined) {
      bucket = { tokens: BURST, at: now };
      this.#callers.set(caller, bucket);
      forgetOldest(this.#callers);
    }
    bucket.tokens = Math.min(BURST, bucket.tokens + ((now - bucket.at) * PER_SECOND) / 1000);
    bucket.at = now;
    if (bucket.tokens < 1) throw new AdminError("too_many_requests", "too many requests", { retryAfter: 1 });
    bucket.tokens--;
  }
}

function forgetOldest(map: Map<string, unknown>): void {
  if (map.size <= REMEMBERED) return;
  for (const key of map.keys()) {
    map.delete(key);
    return;
  }
}
