// The membership of this member: heartbeats, its lease, verdicts about silent members, and changes of the view. It owns no
// connection: heartbeats go out through `send`, what is shared is in a `ClusterStore`.
import type { Clock, MeshMember } from "@wrenmq/cluster";
import { type ClusterStore, readView, type StoredView, writeView } from "./cluster-store.ts";
import { parseHeartbeat } from "./heartbeat.ts";
import { Lease, Revocation } from "./lease.ts";
import { Silence } from "./silence.ts";
import type { Timing } from "./timing.ts";
import { isIn, released, surplus, type View, withMembers } from "./view.ts";

export interface MembershipParts {
  readonly self: MeshMember;
  readonly first: StoredView;
  readonly store: ClusterStore;
  readonly clock: Clock;
  readonly timing: Timing;
  /** To all members, this one too. */
  send(heartbeat: string): void;
  isBusThere(): boolean;
  /** Another view holds. */
  viewed(view: View): void;
  /** Which of these partitions serve no client and have no session? They get none until `kept`. */
  vacant(partitions: readonly number[], most: number): readonly number[];
  /** These were vacant and stay: their clients may come again. */
  kept(partitions: readonly number[]): void;
  /**
   * What else this view should become; asked again for each view until there is nothing. Called whenever something may
   * have changed: it may be the same as before, as the effect of an attempt can be unknown. Default: nothing.
   */
  wish?(view: View): View | undefined;
  /** This member was declared dead: it must end. The last call. */
  ended(): void;
  /** One line for the log. */
  said(line: string): void;
  problem(error: Error): void;
}

export class Membership {
  readonly lease: Lease;
  readonly #parts: MembershipParts;
  readonly #silence = new Silence();
  /** Of members that seem to be dead, by their run. */
  readonly #revocations = new Map<number, Revocation>();
  readonly #dead = new Set<number>();
  #current: StoredView;
  /** The highest revision of a view that was heard of. */
  #known: number;
  #tickedAt: number;
  /** Under way: one change at a time. */
  #work: Promise<void> | undefined;
  #isReady = false;
  /** Being given away. Until a view says whose they are now, this member does not serve them. */
  #releasing: readonly number[] | undefined;
  #over = false;
  #cancelTick: () => void = () => {};

  constructor(parts: MembershipParts) {
    const { self, first, store, clock, timing } = parts;
    this.#parts = parts;
    this.lease = new Lease({ self, store, clock, timing, revoked: () => this.#end() });
    this.#current = first;
    this.#known = first.revision;
    this.#tickedAt = clock.now();
    this.#silence.viewed(first.view, this.#tickedAt);
    this.#tick();
  }

  get view(): View {
    return this.#current.view;
  }

  stateOf({ run }: MeshMember): "up" | "away" {
    return this.silence({ id: 0, run }) < this.#parts.timing.away ? "up" : "away";
  }

  /** Milliseconds since it was heard of. */
  silence({ run }: MeshMember): number {
    return run === this.#parts.self.run ? 0 : this.#silence.of(run, this.#parts.clock.now());
  }

  /** There may be a wish. */
  consider(): void {
    this.#consider();
  }

  /** This member can serve clients: it gets partitions. */
  ready(): void {
    this.#isReady = true;
    this.#consider();
  }

  /** Takes this member out of the view, if that is possible within this time. */
  async leave(patience: number): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTick();
    const { clock } = this.#parts;
    let cancel = (): void => {};
    const late = new Promise<void>((resolve) => {
      cancel = clock.at(clock.now() + patience, resolve);
    });
    await Promise.race([late, this.#leave(clock.now() + patience).catch(this.#parts.problem)]);
    this.lease.drop();
    cancel();
  }

  heard(text: string): void {
    const heartbeat = parseHeartbeat(text);
    if (heartbeat === undefined || this.#over) return;
    const { run, revision } = heartbeat;
    this.#silence.heard(run, this.#parts.clock.now());
    this.#revocations.delete(run);
    if (revision <= this.#known) return;
    this.#known = revision;
    this.#consider();
  }

  /** The bus is there again: nobody could be heard meanwhile. */
  busIsBack(): void {
    this.#silence.listensAgain(this.#parts.clock.now());
    this.#sendHeartbeat();
    this.#renew();
  }

  // ── inside ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    if (this.#over) return;
    const { clock, timing } = this.#parts;
    const now = clock.now();
    // This process was stopped, or busy: what others have sent meanwhile has not been read yet.
    if (now - this.#tickedAt > timing.beat * 2) this.#silence.listensAgain(now);
    this.#tickedAt = now;
    this.#cancelTick = clock.at(now + timing.beat, () => this.#tick());
    this.#sendHeartbeat();
    this.#renew();
    this.#consider();
  }

  #sendHeartbeat(): void {
    const { self, isBusThere, send } = this.#parts;
    if (this.#over || !isBusThere()) return;
    send(JSON.stringify({ id: self.id, run: self.run, revision: this.#current.revision }));
  }

  #renew(): void {
    const { isBusThere, problem } = this.#parts;
    if (!isBusThere()) return;
    this.lease.renew().catch((error: unknown) => {
      if (!this.#over) problem(error as Error);
    });
  }

  /** Does what is to be done about the view, if anything. */
  #consider(): void {
    if (this.#work !== undefined || this.#over || !this.#parts.isBusThere()) return;
    const work = this.#change();
    if (work === undefined) return;
    this.#work = work.then(
      () => {
        this.#work = undefined;
        this.#consider();
      },
      (error: unknown) => {
        // The next tick tries again.
        this.#work = undefined;
        if (!this.#over) this.#parts.problem(error as Error);
      },
    );
  }

  #change(): Promise<void> | undefined {
    const { self } = this.#parts;
    const { view, revision } = this.#current;
    if (this.#known > revision) return this.#read();
    const own = view.members.find(({ run }) => run === self.run);
    if (this.#dead.size > 0 || (this.#isReady && own?.isReady === false)) {
      const members = view.members
        .filter(({ run }) => !this.#dead.has(run))
        .map((member) => (member.run === self.run && this.#isReady ? { ...member, isReady: true } : member));
      return this.#write(withMembers(view, members));
    }
    return this.#suspect(view) ?? this.#fulfil(view) ?? this.#release(view);
  }

  #fulfil(view: View): Promise<void> | undefined {
    const wish = this.#parts.wish?.(view);
    return wish === undefined ? undefined : this.#write(wish);
  }

  #suspect(view: View): Promise<void> | undefined {
    const { store, clock, timing, said } = this.#parts;
    for (const member of view.members) {
      const { run, name } = member;
      if (this.stateOf(member) === "up") continue;
      let revocation = this.#revocations.get(run);
      if (revocation === undefined) {
        revocation = new Revocation(member, store, clock, timing);
        this.#revocations.set(run, revocation);
      }
      if (!revocation.isDue) continue;
      return revocation.advance().then((isRevoked) => {
        if (!isRevoked) {
          clock.at(clock.now() + timing.hold, () => this.#consider());
          return;
        }
        said(`member "${name}" was not heard of for ${Math.round(this.silence(member) / 100) / 10} s: it is dead`);
        this.#dead.add(run);
      });
    }
    return undefined;
  }

  /** Gives away what other members should have and no client needs here. */
  #release(view: View): Promise<void> | undefined {
    const { self, vacant } = this.#parts;
    // Shards move with their sessions: see `wish`.
    if (view.epochs !== undefined) return undefined;
    if (this.#releasing === undefined) {
      const most = surplus(view, self.id);
      if (most === 0) return undefined;
      const own = view.owners.flatMap((owner, partition) => (owner === self.id ? [partition] : []));
      const partitions = vacant(own, most);
      if (partitions.length === 0) return undefined;
      this.#releasing = partitions;
    }
    // If it fails its effect is unknown, and it is tried again until there is another view.
    return this.#write(released(view, self.id, this.#releasing));
  }

  async #write(view: View): Promise<void> {
    const expected = this.#current.revision;
    const revision = await writeView(this.#parts.store, view, expected);
    if (revision !== undefined) {
      this.#viewed({ view, revision });
      return;
    }
    this.#known = Math.max(this.#known, expected + 1);
    await this.#read();
  }

  async #read(): Promise<void> {
    const stored = await readView(this.#parts.store);
    if (stored === undefined) throw new Error("the view of the cluster has disappeared");
    if (stored.revision > this.#current.revision) this.#viewed(stored);
    // A replica may be behind: the next tick reads again.
    if (stored.revision < this.#known) throw new Error("the view of the cluster is not there yet");
  }

  #viewed(stored: StoredView): void {
    if (this.#over) return;
    const { self, clock, viewed, kept } = this.#parts;
    this.#current = stored;
    this.#known = Math.max(this.#known, stored.revision);
    this.#silence.viewed(stored.view, clock.now());
    for (const runs of [this.#dead, this.#revocations]) {
      for (const run of runs.keys()) if (!stored.view.members.some((one) => one.run === run)) runs.delete(run);
    }
    if (!isIn(stored.view, self)) {
      this.#end();
      return;
    }
    viewed(stored.view);
    const released = this.#releasing;
    this.#releasing = undefined;
    if (released !== undefined) kept(released);
    this.#sendHeartbeat();
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelTick();
    this.lease.drop();
    this.#parts.ended();
  }

  async #leave(end: number): Promise<void> {
    const { self, store, clock, isBusThere, send } = this.#parts;
    await this.#work?.catch(() => {});
    while (clock.now() < end && isBusThere()) {
      const stored = await readView(store);
      if (stored === undefined || !isIn(stored.view, self)) return;
      const others = stored.view.members.filter(({ run }) => run !== self.run);
      const revision = await writeView(store, withMembers(stored.view, others), stored.revision);
      if (revision === undefined) continue;
      // The others learn from it that there is another view.
      send(JSON.stringify({ id: self.id, run: self.run, revision }));
      return;
    }
  }
}
