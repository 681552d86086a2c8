// Members under faults: no two that may acknowledge serve the same clients, and when the faults are over all agree.
import { describe, expect, test } from "vitest";
import { join } from "../src/membership/join.ts";
import { emptyView, withMembers } from "../src/membership/view.ts";
import { after, World } from "./support/sim-members.ts";

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
    [
      "sessions that are replicated",
      { durable: true },
      /its sessions are in memory, this configuration says replicated/,
    ],
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
