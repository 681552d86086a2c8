// Caches answers for a while, by request. Keys are HMACs under a key of this process: no password is stored.
import { createHmac, randomBytes } from "node:crypto";

export class AnswerCache {
  readonly #lifetime: number;
  readonly #limit: number;
  readonly #secret = randomBytes(32);
  /** In the order of expiry, because all have the same lifetime. */
  readonly #answers = new Map<string, { readonly answer: boolean | undefined; readonly end: number }>();

  /**
   * @param lifetime milliseconds
   * @param limit number of answers
   */
  constructor(lifetime: number, limit = 10_000) {
    this.#lifetime = lifetime;
    this.#limit = limit;
  }

  /** Failures are passed on and not cached. */
  async get(path: string, params: object, ask: () => Promise<boolean | undefined>): Promise<boolean | undefined> {
    if (this.#lifetime === 0) return ask();
    const now = Date.now();
    const key = createHmac("sha256", this.#secret)
      .update(JSON.stringify([path, params]))
      .digest("base64");
    const kept = this.#answers.get(key);
    if (kept !== undefined && kept.end > now) return kept.answer;
    const answer = await ask();
    this.#answers.delete(key);
    this.#answers.set(key, { answer, end: now + this.#lifetime });
    this.#shrink(now);
    return answer;
  }

  clear(): void {
    this.#answers.clear();
  }

  #shrink(now: number): void {
    for (const [key, { end }] of this.#answers) {
      if (end > now && this.#answers.size <= this.#limit) return;
      this.#answers.delete(key);
    }
  }
}
