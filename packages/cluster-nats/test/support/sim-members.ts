// Members under simulated time: their processes stop, go on and end, their connections are cut, and the store that they
// share answers late or not at all, all decided by one seed.
import type { MeshMember } from "@wrenmq/cluster";
import type { ClusterStore, Stored } from "../../src/membership/cluster-store.ts";
import { type Joining, join } from "../../src/membership/join.ts";
import { Membership } from "../../src/membership/membership.ts";
import { TIMING } from "../../src/membership/timing.ts";
import { surplus, type View } from "../../src/membership/view.ts";
import { random, SimTime } from "./sim-world.ts";

/** A store whose answers may be late or missing, whether or not it has done what was asked. */
export class SimStore {
  readonly values: Map<string, Stored> = new Map<string, Stored>();
  #revision = 0;
  failing = 0;
  delay = 5;
  readonly #time: SimTime;
  readonly #random: () => number;

  constructor(time: SimTime, next: () => number) {
    this.#time = time;
    this.#random = next;
  }

  client(isThere: () => boolean): ClusterStore {
    return {
      read: (key) => this.#answer(isThere, () => this.values.get(key)),
      write: (key, text, expected) =>
        this.#answer(isThere, () => {
          if ((this.values.get(key)?.revision ?? 0) !== expected) return undefined;
          this.#revision++;
          this.values.set(key, { text, revision: this.#revision });
          return this.#revision;
        }),
    };
  }

  #answer<T>(isThere: () => boolean, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = (): number => this.#time.now() + this.#random() * this.delay;
      const lost = (): void => void this.#time.at(this.#time.now() + 500, () => reject(new Error("no answer")));
      this.#time.at(late(), () => {
        if (!isThere() || this.#random() < this.failing) return lost();
        const answer = act();
        this.#time.at(late(), () => {
          if (!isThere() || this.#random() < this.failing) lost();
          else resolve(answer);
        });
      });
    });
  }
}

export interface SimMember {
  readonly name: string;
  readonly self: MeshMember;
  readonly membership: Membership;
  /** Its process: tasks of one that is stopped run when it goes on. */
  isStopped: boolean;
  isCut: boolean;
  isOver: boolean;
  /** Partitions with clients. */
  readonly busy: Set<number>;
  readonly releasing: Set<number>;
}

/** What a member does besides. */
export interface Shards {
  viewed(view: View): void;
  wish(view: View): View | undefined;
  ended(): void;
}

export interface WorldOptions {
  /** Are the partitions shards? Default false. */
  readonly durable?: boolean;
  readonly partitions?: number;
  /** The shards of a member. Default: it has none. */
  shards?(self: MeshMember, member: () => SimMember | undefined): Shards;
}

export class World {
  readonly time: SimTime = new SimTime();
  readonly next: () => number;
  readonly store: SimStore;
  readonly members: SimMember[] = [];
  readonly problems: string[] = [];
  lost = 0;
  readonly #listeners = new Set<(text: string) => void>();
  readonly #heldBack = new Map<SimMember, (() => void)[]>();
  readonly options: WorldOptions;

  constructor(seed: number, options: WorldOptions = {}) {
    this.options = options;
    this.next = random(seed);
    this.store = new SimStore(this.time, this.next);
  }

  joining(name: string, changes: Partial<Joining> = {}): Joining {
    return {
      cluster: "test",
      name,
      instance: `${name}-${this.next()}`,
      version: "1.0.0",
      wire: 3,
      partitions: this.options.partitions ?? 16,
      durable: this.options.durable === true,
      store: this.store.client(() => true),
      clock: this.time,
      timing: TIMING,
      listen: (heard) => {
        this.#listeners.add(heard);
        return () => this.#listeners.delete(heard);
      },
      sleep: (milliseconds) => new Promise((resolve) => this.time.at(this.time.now() + milliseconds, resolve)),
      said: () => {},
      ...changes,
    };
  }

  async join(name: string): Promise<SimMember> {
    const { self, first } = await join(this.joining(name));
    let member: SimMember | undefined;
    const shards = this.options.shards?.(self, () => member);
    const isThere = (): boolean => member?.isCut !== true && member?.isOver !== true;
    const membership = new Membership({
      self,
      first,
      store: this.store.client(isThere),
      clock: {
        now: () => this.time.now(),
        at: (time, run) => this.time.at(time, () => this.#run(member, run)),
      },
      timing: TIMING,
      send: (text) => this.#broadcast(text),
      isBusThere: isThere,
      viewed: (view) => shards?.viewed(view),
      wish: (view) => shards?.wish(view),
      vacant: (partitions, most) => {
        const vacant = partitions.filter((one) => member?.busy.has(one) !== true).slice(0, most);
        for (const one of vacant) member?.releasing.add(one);
        return vacant;
      },
      kept: (partitions) => {
        for (const one of partitions) member?.releasing.delete(one);
      },
      ended: () => {
        shards?.ended();
        if (member !== undefined) member.isOver = true;
      },
      said: () => {},
      problem: (error) => this.problems.push(error.message),
    });
    member = {
      name,
      self,
      membership,
      isStopped: false,
      isCut: false,
      isOver: false,
      busy: new Set(),
      releasing: new Set(),
    };
    this.members.push(member);
    membership.ready();
    shards?.viewed(membership.view);
    return member;
  }

  /** Runs later, in the process of the member. */
  later(member: SimMember | undefined, milliseconds: number, task: () => void): () => void {
    return this.time.at(this.time.now() + milliseconds, () => this.#run(member, task));
  }

  /** It ends without a word. */
  kill(member: SimMember): void {
    member.isOver = true;
    member.isStopped = true;
  }

  resume(member: SimMember): void {
    if (!member.isStopped || member.isOver) return;
    member.isStopped = false;
    const tasks = this.#heldBack.get(member) ?? [];
    this.#heldBack.delete(member);
    for (const task of tasks) this.#run(member, task);
  }

  heal(member: SimMember): void {
    if (!member.isCut) return;
    member.isCut = false;
    this.#run(member, () => member.membership.busIsBack());
  }

  /** Those that would serve a client of each partition, and acknowledge to it. */
  check(seed: number): void {
    for (let partition = 0; partition < 16; partition++) {
      const serving = this.members.filter(
        ({ membership, self, isOver, isStopped, releasing }) =>
          !isOver &&
          !isStopped &&
          membership.lease.holds &&
          membership.view.owners[partition] === self.id &&
          !releasing.has(partition),
      );
      if (serving.length > 1)
        throw new Error(`seed ${seed}: ${serving.map(({ name }) => name)} serve partition ${partition}`);
    }
  }

  isSettled(): boolean {
    const alive = this.members.filter(({ isOver }) => !isOver);
    const runs = alive.map(({ self }) => self.run).sort();
    return alive.every(({ membership: { view, lease }, self }) => {
      const known = view.members.map(({ run }) => run).sort();
      const isBalanced = surplus(view, self.id) === 0 && view.owners.every((owner) => owner !== null);
      return lease.holds && isBalanced && JSON.stringify(known) === JSON.stringify(runs);
    });
  }

  #run(member: SimMember | undefined, task: () => void): void {
    if (member?.isOver === true) return;
    if (member?.isStopped !== true) task();
    else this.#heldBack.set(member, [...(this.#heldBack.get(member) ?? []), task]);
  }

  #broadcast(text: string): void {
    for (const heard of this.#listeners) heard(text);
    for (const member of this.members) {
      if (member.isCut || this.next() < this.lost) continue;
      this.time.at(this.time.now() + this.next() * 20, () => {
        if (!member.isCut) this.#run(member, () => member.membership.heard(text));
      });
    }
  }
}

/** Resolves with the promise while time passes. */
export async function after<T>(world: World, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  await world.time.until(() => isDone, 60_000);
  return promise;
}
