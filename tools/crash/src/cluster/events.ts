// What may happen to a cluster at one step of a run. Each event is over when it returns: what was ended runs again, what
// was cut is whole.
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { ClusterUnderTest } from "./cluster-under-test.ts";
import type { MemberProcess } from "./member-process.ts";

export interface Event {
  readonly name: string;
  /** How often it is chosen, beside the others. */
  readonly weight: number;
  happen(random: Random): Promise<void>;
}

/** Milliseconds of silence after which the others declare a member dead, at the latest, and some more. */
const DEAD_FOR_CERTAIN = 4_500;

export function eventsOf(cluster: ClusterUnderTest, world: World): Event[] {
  const { members, nats, networks } = cluster;
  const pickMember = (random: Random): MemberProcess => random.pick(members);

  /** While it lasts, and when it ends, sessions of the member may end. */
  const killing = async (what: string, during: () => Promise<void>): Promise<void> => {
    world.tell(what);
    world.death(true);
    await during();
    world.death(false);
    world.tell(`${what}: over`);
  };

  /** It goes on, and knows nothing of what the others have decided meanwhile. */
  const silencing = async (member: MemberProcess, what: string, during: () => Promise<void>): Promise<void> => {
    if (cluster.isInMemory) cluster.avoided.add(member.name);
    await killing(`${member.name} is ${what}`, async () => {
      await during();
      await untilWhole(cluster, world);
    });
    cluster.avoided.delete(member.name);
  };

  const events: Event[] = [
    {
      name: "kill a member",
      weight: 4,
      async happen(random) {
        const member = pickMember(random);
        const pause = random.between(0, DEAD_FOR_CERTAIN);
        await killing(`${member.name} is killed`, async () => {
          await member.end("SIGKILL");
          await world.sleep(pause);
          await member.start();
        });
      },
    },
    {
      name: "stop a member for longer than its lease",
      weight: 2,
      async happen(random) {
        const member = pickMember(random);
        const pause = random.between(DEAD_FOR_CERTAIN, 8_000);
        await silencing(member, "stopped", async () => {
          member.signal("SIGSTOP");
          await world.sleep(pause);
          member.signal("SIGCONT");
        });
      },
    },
    {
      name: "stop a member for a moment",
      weight: 1,
      async happen(random) {
        const member = pickMember(random);
        const pause = random.between(100, 1_000);
        world.tell(`${member.name} is stopped for ${pause} ms`);
        const { replaced } = member;
        member.signal("SIGSTOP");
        await world.sleep(pause);
        member.signal("SIGCONT");
        // On a busy machine it may be stopped for longer than it was told.
        await world.sleep(1_000);
        if (member.replaced !== replaced) world.death(false);
      },
    },
    {
      name: cluster.isInMemory ? "stop a member as an operator does" : "drain a member",
      weight: 2,
      async happen(random) {
        const member = pickMember(random);
        const pause = random.between(0, 2_000);
        await killing(`${member.name} is ${cluster.isInMemory ? "stopped by SIGTERM" : "drained"}`, async () => {
          const problem = cluster.isInMemory ? undefined : await cluster.drain(member);
          if (problem !== undefined) world.problem(problem);
          await member.end("SIGTERM");
          await world.sleep(pause);
          await member.start();
        });
      },
    },
    {
      name: "kill a NATS server",
      weight: 2,
      async happen(random) {
        const n = random.between(0, nats.count - 1);
        const pause = random.between(0, 3_000);
        world.tell(`NATS server ${n} is killed`);
        await nats.kill(n);
        await world.sleep(pause);
        nats.start(n);
      },
    },
    {
      name: "kill all NATS servers",
      weight: 1,
      async happen(random) {
        const pause = random.between(0, 3_000);
        world.tell("all NATS servers are killed");
        const all = Array.from({ length: nats.count }, (_, n) => n);
        await Promise.all(all.map((n) => nats.kill(n)));
        await world.sleep(pause);
        for (const n of all) nats.start(n);
      },
    },
  ];
  if (networks === undefined) return events;
  return [
    ...events,
    {
      name: "cut a member off from NATS",
      weight: 2,
      async happen(random) {
        const member = pickMember(random);
        const pause = random.between(200, 8_000);
        await silencing(member, "cut off", async () => {
          await networks.cut(member.name);
          await world.sleep(pause);
          await networks.heal(member.name);
        });
      },
    },
    {
      name: "cut a NATS server off",
      weight: 1,
      async happen(random) {
        const n = random.between(0, nats.count - 1);
        const pause = random.between(200, 8_000);
        // Members that use it lose NATS for as long as they need to find another one.
        await killing(`NATS server ${n} is cut off`, async () => {
          await networks.cut(`s${n}`);
          await world.sleep(pause);
          await networks.heal(`s${n}`);
          await untilWhole(cluster, world);
        });
      },
    },
  ];
}

export function pickEvent(events: readonly Event[], random: Random): Event {
  return random.pick(events.flatMap((event) => Array.from({ length: event.weight }, () => event)));
}

/** Milliseconds after which a cluster that is not whole, although nothing happens to it, is a problem. */
const WHOLE_PATIENCE = 120_000;

/** Resolves when all members are there again, as all see it. */
export async function untilWhole(cluster: ClusterUnderTest, world: World): Promise<void> {
  const began = world.now();
  while (cluster.ownEnds.length === 0 && !(await cluster.isWhole())) {
    if (world.now() > began + WHOLE_PATIENCE) {
      world.problem(`the cluster is not whole ${WHOLE_PATIENCE / 1000} s after it was left alone`);
      return;
    }
    await world.sleep(100);
  }
}
