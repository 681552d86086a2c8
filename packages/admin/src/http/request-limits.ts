// Rate limits per address and per token. Memory is bounded: an entry that is dropped starts again from zero.
import { AdminError } from "../admin-error.ts";

/** Invalid tokens of one address within a minute; after that it is refused until the minute is over. */
const MOST_FAILURES = 10;
const WINDOW = 60_000;
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

/** Requests per second, and how many may come at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

export class RequestRate {
  readonly #rate: Rate;
  readonly #callers = new Map<string, { tokens: number; at: number }>();

  constructor(rate: Rate) {
    this.#rate = rate;
  }

  /** @throws AdminError too_many_requests */
  take(caller: string, now: number): void {
    const { perSecond, burst } = this.#rate;
    let bucket = this.#callers.get(caller);
    if (bucket === undefined) {
      bucket = { tokens: burst, at: now };
      this.#callers.set(caller, bucket);
      forgetOldest(this.#callers);
    }
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perSecond) / 1000);
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
