// Members under faults: no two that may acknowledge serve the same clients, and when the faults are over all agree.
import type { MeshMember } from "@wrenmq/cluster";
import { describe, expect, test } from "vitest";
import type { ClusterStore, Stored } from "../src/membership/cluster-store.ts";
import { type Joining, join } from "../src/membership/join.ts";
import { Membership } from "../src/membership/membership.ts";
import { TIMING } from "../src/membership/timing.ts";
import { emptyView, surplus, withMembers } from "../src/membership/view.ts";
import { random, SimTime } from "./support/sim-world.ts";

/** A store whose answers may be late or missing, whether or not it has done what was asked. */
class SimStore {
  readonly values = new Map<string, Stored>();
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

interface SimMember {
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

class World {
  readonly time = new SimTime();
  readonly next: () => number;
  readonly store: SimStore;
  readonly members: SimMember[] = [];
  readonly problems: string[] = [];
  lost = 0;
  readonly #listeners = new Set<(text: string) => void>();
  readonly #heldBack = new Map<SimMember, (() => void)[]>();

  constructor(seed: number) {
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
      partitions: 16,
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
      viewed: () => {},
      vacant: (partitions, most) => {
        const vacant = partitions.filter((one) => member?.busy.has(one) !== true).slice(0, most);
        for (const one of vacant) member?.releasing.add(one);
        return vacant;
      },
      kept: (partitions) => {
        for (const one of partitions) member?.releasing.delete(one);
      },
      ended: () => {
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
    return member;
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

async function after<T>(world: World, promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  await world.time.until(() => isDone, 60_000);
  return promise;
}

describe("members under faults", () => {
  test("never do two that may acknowledge serve the same clients; at the end all agree, for hundreds of seeds", async () => {
    for (let seed = 1; seed <= (Number(process.env["WREN_SEEDS"]) || 200); seed++) {
      const world = new World(seed);
      const { next, time, store } = world;
      for (const name of ["a", "b", "c"]) await after(world, world.join(name));
      store.failing = next() * 0.3;
      store.delay = next() * 100;
      world.lost = next() * 0.2;
      for (let step = 0; step < 25; step++) {
        const alive = world.members.filter(({ isOver }) => !isOver);
        const member = alive[Math.floor(next() * alive.length)];
        const what = next();
        if (member === undefined || (what < 0.1 && alive.length < 6)) {
          store.failing = 0;
          await after(world, world.join(`n${step}`));
          store.failing = next() * 0.3;
        } else if (what < 0.25) world.kill(member);
        else if (what < 0.4) member.isStopped = true;
        else if (what < 0.55) member.isCut = true;
        else if (what < 0.7) world.resume(member);
        else if (what < 0.85) world.heal(member);
        else member.busy.add(Math.floor(next() * 16));
        const end = time.now() + next() * 5_000;
        while (time.now() < end) {
          await time.advance(50);
          world.check(seed);
        }
      }
      store.failing = 0;
      world.lost = 0;
      for (const member of world.members) {
        world.resume(member);
        world.heal(member);
        member.busy.clear();
      }
      await time.until(() => {
        world.check(seed);
        return world.isSettled();
      }, 30_000);
    }
  });

  test("a member that is killed is dead within four seconds, and the others serve its clients", async () => {
    const world = new World(1);
    const [a, b, c] = [
      await after(world, world.join("a")),
      await after(world, world.join("b")),
      await after(world, world.join("c")),
    ];
    await world.time.until(() => world.isSettled());
    const counts = [a, b, c].map(({ self }) => a.membership.view.owners.filter((owner) => owner === self.id).length);
    expect(counts).toEqual([6, 5, 5]);
    world.kill(b);
    await world.time.advance(1_800);
    expect(a.membership.stateOf(b.self)).toBe("away");
    expect(a.membership.lease.holds).toBe(true);
    await world.time.advance(2_200);
    expect(a.membership.view.members.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(new Set(a.membership.view.owners)).toEqual(new Set([a.self.id, c.self.id]));
    expect(a.membership.lease.holds).toBe(true);
  });

  test("one that was stopped for longer finds out that it is out before it could acknowledge anything", async () => {
    const world = new World(2);
    const a = await after(world, world.join("a"));
    const b = await after(world, world.join("b"));
    await after(world, world.join("c"));
    await world.time.until(() => world.isSettled());
    b.isStopped = true;
    await world.time.advance(5_000);
    expect(b.membership.lease.holds).toBe(false);
    world.resume(b);
    expect(b.membership.lease.holds).toBe(false);
    await world.time.until(() => b.isOver);
    expect(a.membership.view.members.map(({ name }) => name)).toEqual(["a", "c"]);
  });

  test("without the bus nobody is dead, and nobody acknowledges; when it is back all go on", async () => {
    const world = new World(3);
    for (const name of ["a", "b", "c"]) await after(world, world.join(name));
    await world.time.until(() => world.isSettled());
    for (const member of world.members) member.isCut = true;
    await world.time.advance(60_000);
    expect(world.members.map(({ membership }) => membership.lease.holds)).toEqual([false, false, false]);
    for (const [index, member] of world.members.entries()) {
      world.heal(member);
      await world.time.advance(index * 500);
    }
    await world.time.until(() => world.isSettled(), 5_000);
    expect(world.members.every(({ isOver }) => !isOver)).toBe(true);
  });

  test("one that leaves is gone at once, and partitions with clients stay where they are", async () => {
    const world = new World(4);
    const a = await after(world, world.join("a"));
    for (let partition = 0; partition < 10; partition++) a.busy.add(partition);
    const b = await after(world, world.join("b"));
    await world.time.advance(3_000);
    const { owners } = a.membership.view;
    expect(owners.slice(0, 10)).toEqual(new Array(10).fill(a.self.id));
    expect(owners.slice(10)).toEqual(new Array(6).fill(b.self.id));
    await after(world, b.membership.leave(1_000));
    await world.time.advance(100);
    expect(a.membership.view.members.map(({ name }) => name)).toEqual(["a"]);
    expect(new Set(a.membership.view.owners)).toEqual(new Set([a.self.id]));
  });
});

describe("who does not fit is refused in one line", () => {
  test.each([
    ["another number of partitions", { partitions: 32 }, /"test": it has 16 partitions, this configuration says 32/],
    ["other frames", { wire: 4 }, /its members \(1\.0\.0\) speak version 3 of the frames, this one 4/],
    ["the name of a member that is alive", {}, /another member is named "a" and is alive/],
  ])("%s", async (_what, changes, line) => {
    const world = new World(5);
    await after(world, world.join("a"));
    await expect(after(world, join(world.joining("a", changes)))).rejects.toThrow(line);
  });

  test("too many", async () => {
    const world = new World(6);
    const member = { version: "1", isReady: true };
    const members = Array.from({ length: 64 }, (_, id) => ({
      ...member,
      id,
      run: id,
      name: `${id}`,
      instance: `${id}`,
    }));
    world.store.values.set("view", { text: JSON.stringify(withMembers(emptyView(3, 16), members)), revision: 1 });
    await expect(after(world, join(world.joining("a")))).rejects.toThrow(/it has 64 members already/);
  });
});

test("the name of a member that is dead may be used again at once when that is certain", async () => {
  const world = new World(7);
  const first = await after(world, world.join("a"));
  world.kill(first);
  const second = await after(world, world.join("a"));
  expect(world.time.now()).toBeLessThan(4_000);
  expect(second.self.run).toBe(2);
  expect(second.membership.view.members.map(({ run }) => run)).toEqual([2]);
});
