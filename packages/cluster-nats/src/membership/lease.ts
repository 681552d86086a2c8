// The right of a member to acknowledge. It renews it all the time; who believes it dead revokes it, which succeeds only if
// it has not been renewed for longer than it holds. So when a member has been replaced it acknowledges nothing any more,
// whether it knows or not: nobody has to judge by the absence of messages alone.
import type { Clock, MeshMember } from "@wrenmq/cluster";
import type { ClusterStore } from "./cluster-store.ts";
import type { Timing } from "./timing.ts";

interface LeaseValue {
  readonly run: number;
  readonly isRevoked: boolean;
}

function keyOf(id: number): string {
  return `lease-${id}`;
}

function parse(text: string | undefined): LeaseValue {
  try {
    const { run, isRevoked } = JSON.parse(text ?? "") as LeaseValue;
    return { run, isRevoked };
  } catch {
    return { run: 0, isRevoked: false };
  }
}

export interface LeaseParts {
  readonly self: MeshMember;
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly timing: Timing;
  /** Another member has revoked it. */
  revoked(): void;
}

export class Lease {
  readonly #parts: LeaseParts;
  #until = 0;
  #revision: number | undefined;
  #isRenewing = false;
  #renewed: (() => void)[] = [];

  constructor(parts: LeaseParts) {
    this.#parts = parts;
  }

  get holds(): boolean {
    return this.#parts.clock.now() < this.#until;
  }

  /** Calls back when it holds again. */
  whenItHolds(callback: () => void): void {
    this.#renewed.push(callback);
  }

  /** It does not hold any more. */
  drop(): void {
    this.#until = 0;
    this.#revision = undefined;
  }

  /** @throws what the store throws; nothing is known then, and the next attempt finds out */
  async renew(): Promise<void> {
    if (this.#isRenewing) return;
    this.#isRenewing = true;
    try {
      await this.#renew();
    } finally {
      this.#isRenewing = false;
    }
  }

  async #renew(): Promise<void> {
    const { self, store, clock, timing, revoked } = this.#parts;
    if (this.#revision === undefined) {
      const stored = await store.read(keyOf(self.id));
      const { run, isRevoked } = parse(stored?.text);
      if (run > self.run || (run === self.run && isRevoked)) {
        revoked();
        return;
      }
      this.#revision = stored?.revision ?? 0;
    }
    const begun = clock.now();
    const expected = this.#revision;
    // If the answer is lost it may have been written all the same.
    this.#revision = undefined;
    const value: LeaseValue = { run: self.run, isRevoked: false };
    const revision = await store.write(keyOf(self.id), JSON.stringify(value), expected);
    if (revision === undefined) return;
    this.#revision = revision;
    this.#until = begun + timing.safe;
    if (!this.holds) return;
    const renewed = this.#renewed;
    this.#renewed = [];
    for (const callback of renewed) callback();
  }
}

/** Revokes the lease of a member that seems to be dead. */
export class Revocation {
  readonly #member: MeshMember;
  readonly #store: ClusterStore;
  readonly #clock: Clock;
  readonly #timing: Timing;
  /** Since when it is known not to have been renewed. */
  #unchanged: { readonly revision: number; readonly since: number } | undefined;

  constructor(member: MeshMember, store: ClusterStore, clock: Clock, timing: Timing) {
    this.#member = member;
    this.#store = store;
    this.#clock = clock;
    this.#timing = timing;
  }

  /** Is there something to do? */
  get isDue(): boolean {
    return this.#unchanged === undefined || this.#clock.now() >= this.#unchanged.since + this.#timing.hold;
  }

  /** @returns it is revoked; otherwise call it again when it is due */
  async advance(): Promise<boolean> {
    const { id, run } = this.#member;
    const unchanged = this.#unchanged;
    if (unchanged === undefined) {
      const stored = await this.#store.read(keyOf(id));
      const value = parse(stored?.text);
      if (value.run > run || (value.run === run && value.isRevoked)) return true;
      this.#unchanged = { revision: stored?.revision ?? 0, since: this.#clock.now() };
      return false;
    }
    this.#unchanged = undefined;
    const value: LeaseValue = { run, isRevoked: true };
    return (await this.#store.write(keyOf(id), JSON.stringify(value), unchanged.revision)) !== undefined;
  }
}
