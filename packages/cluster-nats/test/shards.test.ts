// Shards under faults: whatever ends, stops or is cut off, two members never serve the same shard, nothing that was
// acknowledged is missing in the log that the next owner reads, and at the end every shard is served once.
import { describe, expect, test } from "vitest";
import type { Proposal } from "../src/membership/proposals.ts";
import { drained, emptyView, given, nextOwner, type ViewMember, wished, withMembers } from "../src/membership/view.ts";
import { after } from "./support/sim-members.ts";
import { ShardWorld } from "./support/sim-shards.ts";

const SHARDS = 6;

function asking(member: number, shard: number | undefined, isDraining: boolean): Proposal {
  return (view) => {
    const one = view.members.find(({ id }) => id === member);
    if (shard !== undefined) return view.wishes?.[shard] === member ? undefined : wished(view, shard, member);
    return one === undefined || (one.isDraining === true) === isDraining
      ? undefined
      : drained(view, member, isDraining);
  };
}

describe("shards under faults", () => {
  test("no two owners acknowledge, nothing acknowledged is lost, and all are served at the end", async () => {
    for (let seed = 1; seed <= (Number(process.env["WREN_SEEDS"]) || 150); seed++) {
      const world = new ShardWorld(seed, SHARDS);
      const { next } = world;
      const { members } = world;
      for (const name of ["a", "b", "c"]) await world.join(name);
      world.setFaults(next());
      for (let step = 0; step < 20; step++) {
        const alive = members.filter(({ isOver }) => !isOver);
        const member = alive[Math.floor(next() * alive.length)];
        const what = next();
        if (member === undefined || (what < 0.15 && alive.length < 5)) await world.join(`n${step}`);
        else if (what < 0.27) world.world.kill(member);
        else if (what < 0.4) member.isStopped = true;
        else if (what < 0.5) member.isCut = true;
        else if (what < 0.65) world.world.resume(member);
        else if (what < 0.8) world.world.heal(member);
        else {
          const shard = next() < 0.5 ? undefined : Math.floor(next() * SHARDS);
          void world.ask(member, asking(member.self.id, shard, next() < 0.6)).catch(() => {});
        }
        await world.run(next() * 5_000, seed);
      }
      world.heal();
      await world.join("last");
      await world.untilServed(seed);
      expect(world.acknowledged).toBeGreaterThan(0);
    }
  }, 120_000);

  test("a member that is killed: others have its shards within five seconds; one that comes gets its part", async () => {
    const world = new ShardWorld(1, SHARDS);
    const [a, b, c] = [await world.join("a"), await world.join("b"), await world.join("c")];
    await world.untilServed(1);
    expect([a, b, c].map((member) => world.keeper(member).open.length)).toEqual([2, 2, 2]);
    world.world.kill(b);
    await world.run(5_000, 1);
    expect([a, c].map((member) => world.keeper(member).open.length)).toEqual([3, 3]);
    const late = await world.join("d");
    await world.run(5_000, 1);
    expect([a, c, late].map((member) => world.keeper(member).open.length)).toEqual([2, 2, 2]);
  });

  test("a member that is emptied gives all away, and gets its part back; a shard stays where it is wanted", async () => {
    const world = new ShardWorld(2, SHARDS);
    const [a, b] = [await world.join("a"), await world.join("b")];
    await world.untilServed(2);
    await after(world.world, world.ask(b, asking(a.self.id, undefined, true)));
    await world.run(10_000, 2);
    expect([a, b].map((member) => world.keeper(member).open.length)).toEqual([0, 6]);
    await after(world.world, world.ask(a, asking(a.self.id, undefined, false)));
    await world.run(10_000, 2);
    expect([a, b].map((member) => world.keeper(member).open.length)).toEqual([3, 3]);
    const [wanted] = world.keeper(b).open as [number];
    await after(world.world, world.ask(b, asking(a.self.id, wanted, true)));
    await world.run(10_000, 2);
    expect(world.keeper(a).open).toContain(wanted);
    expect([a, b].map((member) => world.keeper(member).open.length)).toEqual([3, 3]);
  });

  test("what is asked of a member without NATS is refused in the end", async () => {
    const world = new ShardWorld(3, SHARDS);
    const a = await world.join("a");
    await world.untilServed(3);
    a.isCut = true;
    await expect(after(world.world, world.ask(a, asking(a.self.id, 1, true)))).rejects.toThrow("is NATS there?");
  });
});

describe("who gets a shard", () => {
  const member = (id: number, more: Partial<ViewMember> = {}): ViewMember => {
    return { id, run: id + 1, name: `${id}`, instance: `${id}`, version: "1", isReady: true, ...more };
  };

  test("another owner is another run; the same one is none", () => {
    const view = withMembers(emptyView(4, 4, true), [member(0)]);
    expect(view).toMatchObject({ owners: [0, 0, 0, 0], epochs: [1, 1, 1, 1] });
    const two = withMembers(view, [member(0), member(1)]);
    expect(two).toMatchObject({ owners: [0, 0, 0, 0], epochs: [1, 1, 1, 1] });
    expect(given(two, 3, 1)).toMatchObject({ owners: [0, 0, 0, 1], epochs: [1, 1, 1, 2] });
  });

  test("the balance moves the last shard that nobody has wished to be here", () => {
    const view = withMembers(withMembers(emptyView(4, 4, true), [member(0)]), [member(0), member(1)]);
    expect([0, 1, 2, 3].map((shard) => nextOwner(view, 0, shard))).toEqual([undefined, undefined, undefined, 1]);
    expect(nextOwner(wished(view, 3, 0), 0, 2)).toBe(1);
    expect(nextOwner(wished(view, 0, 1), 0, 0)).toBe(1);
  });

  test("one that is emptied gets nothing while there is another, and everything when there is none", () => {
    const both = withMembers(withMembers(emptyView(4, 2, true), [member(0)]), [member(0), member(1)]);
    const view = drained(both, 0, true);
    expect([0, 1].map((shard) => nextOwner(view, 0, shard))).toEqual([1, 1]);
    expect(withMembers(view, [member(1)]).owners).toEqual([1, 1]);
    const alone = drained(withMembers(emptyView(4, 2, true), [member(1)]), 1, true);
    expect(nextOwner(alone, 1, 0)).toBeUndefined();
    expect(withMembers(drained(view, 1, true), [{ ...member(0), isDraining: true }]).owners).toEqual([0, 0]);
  });
});
