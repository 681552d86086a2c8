// The keys of session tickets (RFC 5077, RFC 8446 4.6.1), with which a client that comes again resumes its TLS session
// instead of a full handshake. They are made of a secret, the time and what decides about clients' certificates, so that
// everybody with the same secret and the same files has the same keys at the same time, without a word between them. Does
// no I/O.
import { hkdfSync } from "node:crypto";

/** As OpenSSL takes them: 16 bytes each. */
export interface TicketKey {
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
  /** Name, HMAC key and AES key, for `setTicketKeys` of Node. */
  readonly all: Buffer;
}

/** Fewer bytes of a secret are refused. */
export const SHORTEST_SECRET = 32;
const PART = 16;

export interface TicketOptions {
  readonly secret: Uint8Array;
  /** Names what decides about clients; where it differs, tickets do not count. */
  readonly scope: string;
  /** Milliseconds that a ticket counts for. */
  readonly lifetime: number;
  /**
   * Times (milliseconds of the epoch) at which an authority or a revocation list ends: no ticket of before counts after
   * that, so that OpenSSL looks at each client's certificate again.
   */
  readonly ends: readonly number[];
}

export class TicketKeys {
  readonly lifetime: number;
  private readonly options: TicketOptions;
  private readonly ends: readonly number[];
  private readonly made = new Map<string, TicketKey>();

  constructor(options: TicketOptions) {
    this.options = options;
    this.lifetime = options.lifetime;
    this.ends = [...options.ends].sort((a, b) => a - b);
  }

  /** The key for new tickets. */
  current(now: number): TicketKey {
    return this.at(Math.floor(now / this.lifetime), now);
  }

  /** The key of a ticket; undefined: it does not count, or not any more. */
  byName(name: Uint8Array, now: number): TicketKey | undefined {
    const turn = Math.floor(now / this.lifetime);
    // A ticket counts for one turn, so none is older than the turn before. Clocks of others may be a little ahead.
    return [turn, turn - 1, turn + 1].map((each) => this.at(each, now)).find((key) => isSame(key.name, name));
  }

  /** When `current` changes next, in milliseconds of the epoch. */
  nextChange(now: number): number {
    const turn = (Math.floor(now / this.lifetime) + 1) * this.lifetime;
    return Math.min(turn, ...this.ends.filter((end) => end > now));
  }

  private at(turn: number, now: number): TicketKey {
    const ended = this.ends.filter((end) => end <= now).length;
    const which = `${turn} ${ended}`;
    let key = this.made.get(which);
    if (key === undefined) {
      key = this.make(which);
      // Three are in use; one that is over is forgotten for good.
      for (const old of [...this.made.keys()].slice(0, -3)) this.made.delete(old);
      this.made.set(which, key);
    }
    return key;
  }

  private make(which: string): TicketKey {
    const { secret, scope } = this.options;
    const all = Buffer.from(hkdfSync("sha256", secret, scope, `wrenmq session tickets ${which}`, 3 * PART));
    const part = (index: number): Uint8Array => all.subarray(index * PART, (index + 1) * PART);
    return { name: part(0), hmac: part(1), aes: part(2), all };
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}
