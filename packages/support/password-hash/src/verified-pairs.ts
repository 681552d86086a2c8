// Remembers pairs of user and password that were right a short while ago, so that a device that reconnects often does
// not cost a slow hash each time. Stores HMACs under a key of this process, never a password, and only of right pairs.
import { createHmac, randomBytes } from "node:crypto";

export class VerifiedPairs {
  readonly #lifetime: number;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** Expiry by HMAC, in the order of expiry. */
  readonly #ends = new Map<string, number>();

  /** @param lifetime milliseconds since the pair was last right; 0 stores none */
  constructor(lifetime: number, limit = 10_000, now: () => number = Date.now) {
    this.#lifetime = lifetime;
    this.#limit = limit;
    this.#now = now;
  }

  get size(): number {
    return this.#ends.size;
  }

  /** Was this pair right lately, with the same hash? */
  has(username: string, hash: string, password: Uint8Array): boolean {
    if (this.#ends.size === 0) return false;
    const key = this.#keyOf(username, hash, password);
    const end = this.#ends.get(key);
    if (end === undefined || end <= this.#now()) return false;
    this.#keep(key);
    return true;
  }

  add(username: string, hash: string, password: Uint8Array): void {
    if (this.#lifetime > 0) this.#keep(this.#keyOf(username, hash, password));
  }

  #keep(key: string): void {
    const now = this.#now();
    this.#ends.delete(key);
    this.#ends.set(key, now + this.#lifetime);
    for (const [oldest, end] of this.#ends) {
      if (end > now && this.#ends.size <= this.#limit) return;
      this.#ends.delete(oldest);
    }
  }

  #keyOf(username: string, hash: string, password: Uint8Array): string {
    return createHmac("sha256", this.#secret)
      .update(JSON.stringify([username, hash]))
      .update("\0")
      .update(password)
      .digest("base64");
  }
}
