// Members with shards under simulated time. A shard's core is a writer that appends facts to the shard's log and counts
// what was acknowledged; the log refuses who was fenced, as a replicated store does.
import type { MeshMember } from "@wrenmq/cluster";
import { type Proposal, Proposals } from "../../src/membership/proposals.ts";
import type { RunningShard } from "../../src/shards/shard-host.ts";
import { ShardKeeper } from "../../src/shards/shard-keeper.ts";
import { after, type Shards, type SimMember, World } from "./sim-members.ts";

/** Milliseconds between two facts of a core. */
const EVERY = 120;

/** What outlives every member. */
class SimLog {
  facts = 0;
  /** The run that may append. */
  writer: object | undefined;
  /** Highest number of a fact that was acknowledged. */
  acknowledged = 0;
}

interface Core {
  readonly shard: number;
  isOpen: boolean;
}

export class ShardWorld {
  readonly world: World;
  readonly logs: readonly SimLog[];
  readonly #cores = new Map<SimMember, Set<Core>>();
  readonly #keepers = new Map<MeshMember, ShardKeeper>();
  readonly #proposals = new Map<MeshMember, Proposals>();

  constructor(seed: number, shards: number) {
    this.logs = Array.from({ length: shards }, () => new SimLog());
    this.world = new World(seed, {
      durable: true,
      partitions: shards,
      shards: (self, member) => this.#shardsOf(self, member),
    });
  }

  get next(): () => number {
    return this.world.next;
  }

  get members(): readonly SimMember[] {
    return this.world.members;
  }

  get acknowledged(): number {
    return this.logs.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  }

  async join(name: string): Promise<SimMember> {
    const { failing } = this.world.store;
    this.world.store.failing = 0;
    const member = await after(this.world, this.world.join(name));
    this.world.store.failing = failing;
    return member;
  }

  keeper({ self }: SimMember): ShardKeeper {
    return this.#keepers.get(self) as ShardKeeper;
  }

  /** An operator asks a member. */
  ask({ self }: SimMember, proposal: Proposal): Promise<void> {
    return (this.#proposals.get(self) as Proposals).add(proposal);
  }

  setFaults(severity: number): void {
    const { store } = this.world;
    store.failing = severity * 0.3;
    store.delay = severity * 100;
    this.world.lost = severity * 0.2;
  }

  heal(): void {
    this.setFaults(0);
    for (const member of this.members) {
      this.world.resume(member);
      this.world.heal(member);
    }
  }

  /** Lets time pass, and checks all the while. */
  async run(milliseconds: number, seed: number): Promise<void> {
    const { time } = this.world;
    const end = time.now() + milliseconds;
    while (time.now() < end) {
      await time.advance(50);
      this.check(seed);
    }
  }

  /** Two cores that may acknowledge what no log guards would be two brokers for the same clients. */
  check(seed: number): void {
    for (const shard of this.logs.keys()) {
      const serving = this.members.filter(
        (member) =>
          !member.isOver &&
          !member.isStopped &&
          member.membership.lease.holds &&
          [...(this.#cores.get(member) ?? [])].some((core) => core.shard === shard && core.isOpen),
      );
      if (serving.length > 1) {
        throw new Error(`seed ${seed}: ${serving.map(({ name }) => name)} serve shard ${shard}`);
      }
      const { facts, acknowledged } = this.logs[shard] as SimLog;
      if (acknowledged > facts) throw new Error(`seed ${seed}: shard ${shard} has lost what was acknowledged`);
    }
  }

  isServed(): boolean {
    const alive = this.members.filter(({ isOver }) => !isOver);
    const open = alive.map((member) => this.keeper(member).open);
    const isOnce = this.logs.every((_, shard) => open.filter((shards) => shards.includes(shard)).length === 1);
    const wanted = (alive[0] as SimMember).membership.view.members.filter(({ isDraining }) => isDraining !== true);
    if (!isOnce || alive.length !== (alive[0] as SimMember).membership.view.members.length) return false;
    return alive.every(({ self }, index) => {
      const isEmptied = wanted.length > 0 && wanted.every(({ id }) => id !== self.id);
      return !isEmptied || open[index]?.length === 0;
    });
  }

  async untilServed(seed: number): Promise<void> {
    await this.world.time.until(() => {
      this.check(seed);
      return this.isServed();
    }, 60_000);
  }

  #shardsOf(self: MeshMember, member: () => SimMember | undefined): Shards {
    const { world } = this;
    const clock = {
      now: () => world.time.now(),
      at: (time: number, run: () => void) => world.later(member(), time - world.time.now(), run),
    };
    const consider = (): void => member()?.membership.consider();
    const proposals = new Proposals(clock, consider);
    const keeper = new ShardKeeper({
      self: self.id,
      clock,
      wishes: consider,
      said: () => {},
      host: { open: (shard, _epoch, lost, signal) => this.#open(shard, member, lost, signal) },
    });
    this.#keepers.set(self, keeper);
    this.#proposals.set(self, proposals);
    return {
      viewed: (view) => {
        if (member() !== undefined) keeper.viewed(view);
      },
      wish: (view) => proposals.wish(view) ?? keeper.wish(view),
      ended: () => void keeper.abandonAll(),
    };
  }

  /** Resolves later, when the process of the member runs. */
  #pause(member: () => SimMember | undefined, most: number): Promise<void> {
    return new Promise((resolve) => this.world.later(member(), this.world.next() * most, resolve));
  }

  async #open(
    shard: number,
    member: () => SimMember | undefined,
    lost: () => void,
    signal: AbortSignal,
  ): Promise<RunningShard> {
    const log = this.logs[shard] as SimLog;
    await this.#pause(member, 400);
    if (this.world.next() < 0.1) throw new Error("the store does not open");
    const run = {};
    log.writer = run;
    if (log.facts < log.acknowledged) throw new Error("what was acknowledged is missing");
    await this.#pause(member, 400);
    if (signal.aborted) throw new Error("not wanted any more");
    const core: Core = { shard, isOpen: true };
    const owner = member() as SimMember;
    const cores = this.#cores.get(owner) ?? new Set();
    this.#cores.set(owner, cores.add(core));
    const end = (): void => {
      core.isOpen = false;
      cores.delete(core);
    };
    const write = async (): Promise<void> => {
      while (core.isOpen) {
        await this.#pause(member, EVERY);
        if (!core.isOpen) return;
        if (owner.isCut) continue;
        if (log.writer !== run) {
          end();
          lost();
          return;
        }
        const fact = ++log.facts;
        await this.#pause(member, EVERY);
        if (core.isOpen) log.acknowledged = Math.max(log.acknowledged, fact);
      }
    };
    void write();
    return {
      close: async () => {
        await this.#pause(member, 300);
        end();
      },
      abandon: async () => end(),
    };
  }
}
