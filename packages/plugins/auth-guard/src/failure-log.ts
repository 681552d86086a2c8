// Counts failures within a window and decides about bans, by name. The number of names is bounded.

export interface FailureLimits {
  /** Failures within the window after which a ban begins; 0: never. */
  readonly banAfter: number;
  /** Milliseconds. */
  readonly window: number;
  readonly ban: number;
}

interface Record {
  failures: number;
  /** Start of the window. */
  since: number;
  bannedUntil: number;
}

export class FailureLog {
  readonly #limits: FailureLimits;
  readonly #capacity: number;
  /** In the order of the last failure, so that the oldest is dropped first. */
  readonly #records = new Map<string, Record>();

  constructor(limits: FailureLimits, capacity = 100_000) {
    this.#limits = limits;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#records.size;
  }

  /**
   * Records a failure. `now` in milliseconds.
   * @returns true when it begins a ban
   */
  fail(name: string, now: number): boolean {
    const { banAfter, window, ban } = this.#limits;
    const record = this.#current(name, now) ?? { failures: 0, since: now, bannedUntil: 0 };
    record.failures++;
    const banned = banAfter > 0 && record.failures >= banAfter && record.bannedUntil <= now;
    if (banned) record.bannedUntil = now + ban;
    this.#records.delete(name);
    this.#records.set(name, record);
    this.#shrink(now, Math.max(window, ban));
    return banned;
  }

  failures(name: string, now: number): number {
    return this.#current(name, now)?.failures ?? 0;
  }

  isBanned(name: string, now: number): boolean {
    return (this.#records.get(name)?.bannedUntil ?? 0) > now;
  }

  forget(name: string): void {
    this.#records.delete(name);
  }

  /** The record of a name, unless its window (and its ban) is over. */
  #current(name: string, now: number): Record | undefined {
    const record = this.#records.get(name);
    if (record === undefined) return undefined;
    const over = now - record.since >= this.#limits.window && record.bannedUntil <= now;
    const served = record.bannedUntil !== 0 && record.bannedUntil <= now;
    if (!over && !served) return record;
    this.#records.delete(name);
    return undefined;
  }

  #shrink(now: number, longest: number): void {
    for (const [name, { since }] of this.#records) {
      if (this.#records.size <= this.#capacity && now - since < longest) return;
      this.#records.delete(name);
    }
  }
}
