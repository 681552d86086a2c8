// Bans clients for a time, by client identifier, user name or address. Kept in memory: they end with the process. A
// lasting rule is a plugin's job.
import type { ClientInfo } from "@wrenmq/plugin-api";
import type { Millis } from "@wrenmq/protocol";

export type BanKind = "clientId" | "username" | "address";

export interface Ban {
  readonly kind: BanKind;
  readonly value: string;
  /** Epoch milliseconds. */
  readonly until: Millis;
  readonly reason: string | undefined;
}

/** The most bans at the same time, to bound the memory. */
export const MOST_BANS = 10_000;

export class BanList {
  readonly #bans = new Map<string, Ban>();

  get size(): number {
    return this.#bans.size;
  }

  /**
   * Adds or replaces a ban.
   * @returns false: there are `MOST_BANS` already
   */
  add(ban: Ban, now: Millis): boolean {
    const key = keyOf(ban.kind, ban.value);
    if (this.#bans.size >= MOST_BANS && !this.#bans.has(key)) {
      this.#forgetEnded(now);
      if (this.#bans.size >= MOST_BANS) return false;
    }
    this.#bans.set(key, ban);
    return true;
  }

  /** @returns was there such a ban? */
  remove(kind: BanKind, value: string): boolean {
    return this.#bans.delete(keyOf(kind, value));
  }

  /** The ban of a client; undefined: it is not banned. */
  find(client: Pick<ClientInfo, "clientId" | "username" | "remoteAddress">, now: Millis): Ban | undefined {
    return (
      this.#current("clientId", client.clientId, now) ??
      (client.username === undefined ? undefined : this.#current("username", client.username, now)) ??
      this.#current("address", client.remoteAddress, now)
    );
  }

  /** Bans that have not expired. */
  *values(now: Millis): IterableIterator<Ban> {
    this.#forgetEnded(now);
    yield* this.#bans.values();
  }

  #current(kind: BanKind, value: string, now: Millis): Ban | undefined {
    const ban = this.#bans.get(keyOf(kind, value));
    if (ban === undefined || ban.until > now) return ban;
    this.#bans.delete(keyOf(kind, value));
    return undefined;
  }

  #forgetEnded(now: Millis): void {
    for (const [key, { until }] of this.#bans) if (until <= now) this.#bans.delete(key);
  }
}

function keyOf(kind: BanKind, value: string): string {
  return `${kind} ${value}`;
}
