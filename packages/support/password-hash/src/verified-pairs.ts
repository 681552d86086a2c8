// Pairs of user and password that were right a short while ago, so that a device that connects again and again does not
// cost a slow hash each time. Kept are digests under a key of this process, never a password; only right ones are kept.
import { createHmac, randomBytes } from "node:crypto";

export class VerifiedPairs {
  readonly #lifetime: number;
  readonly #limit: number;
  readonly #now: () => number;
  readonly #secret = randomBytes(32);
  /** Digest → end, in the order of their ends. */
  readonly #ends = new Map<string, number>();

  /** `lifetime` in milliseconds from the last time that the pair was right; 0 keeps none. */
  constructor(lifetime: number, limit = 10_000, now: () => number = Date.now) {
    this.#lifetime = lifetime;
    this.#limit = limit;
    this.#now = now;
  }

  get size(): number {
    return this.#ends.size;
  }

  /** Was this found right lately, against this hash? */
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
