// Several brokers in this process that act as one, on a simulated clock and with a random series that a seed repeats.
// Their processes die between any two writes to a connection or a store, one or all; with a slow disk the power may
// fail.
import { homeOf } from "@wrenmq/cluster";
import { encode, PacketDecoder } from "@wrenmq/codec";
import type { BrokerUnderTest } from "../brokers/broker-under-test.ts";
import type { Faults } from "../brokers/power-loss-store.ts";
import type { ClientLink, LinkOwner } from "../clients/link.ts";
import type { Random } from "../random.ts";
import type { Surroundings } from "../surroundings.ts";
import { SimMember } from "./sim-member.ts";
import { OUTSIDE, SimEndpoint } from "./sim-network.ts";
import { SimTime } from "./sim-time.ts";

/** The most events of a dying process. */
const LAST_ACTS = 12;
/** Turns of the others while one dies. */
const DYING = 200;

export interface ClusterOptions {
  readonly count: number;
  readonly random: Random;
  /** undefined: what is applied is durable at once */
  readonly faults: Faults | undefined;
  /** Milliseconds until a worker that has died is restarted. Default 50. */
  readonly restartAfter?: number | undefined;
}

export class SimulatedCluster implements BrokerUnderTest {
  readonly sharesProcess: boolean = false;
  readonly forgets: boolean;
  readonly refuses: boolean;
  readonly surroundings: Surroundings;
  readonly #time = new SimTime();
  readonly #random: Random;
  readonly #members: SimMember[];
  readonly #outside = new Set<SimEndpoint>();
  readonly #hasPower: boolean;
  readonly #restartAfter: number;
  #isWanted = false;

  constructor({ count, random, faults, restartAfter = 50 }: ClusterOptions) {
    this.#random = random;
    this.#restartAfter = restartAfter;
    this.forgets = faults !== undefined;
    this.refuses = (faults?.refused ?? 0) > 0;
    this.#hasPower = faults === undefined;
    this.#members = Array.from({ length: count }, (_, self) => {
      const member = (id: number): SimMember | undefined => this.#members[id];
      return new SimMember({ self, count, time: this.#time, random: random.fork(), faults, member });
    });
    this.surroundings = {
      now: () => this.#time.now(),
      setTimer: (callback, milliseconds) => this.#time.setTimer(callback, milliseconds),
      dial: (_port, clientId, version, owner, opened) => this.#dial(clientId, version, owner, opened),
    };
  }

  /** Runs the simulation until the promise is settled. */
  async drive<T>(goal: Promise<T>): Promise<T> {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    goal.then(done, done);
    while (!isDone) {
      if (!this.#step()) this.#time.skip();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    return goal;
  }

  async start(): Promise<number | undefined> {
    this.#isWanted = true;
    await Promise.all(this.#members.map((member) => member.start()));
    return this.#members.some((member) => member.life === undefined) ? undefined : 1883;
  }

  /** All of them, each at another moment. */
  async crash(): Promise<void> {
    this.#isWanted = false;
    for (const { life } of this.#members) if (life !== undefined) life.fuse = this.#random.between(0, LAST_ACTS);
    await this.#turns(DYING, () => this.#members.every(({ life }) => life?.isDead !== false));
    for (const member of this.#members) member.bury(this.#hasPower ? "process" : "power");
  }

  async crashWorker(random: Random): Promise<boolean> {
    const victims = this.#members.filter(({ life }) => life !== undefined);
    if (victims.length === 0) return false;
    const member = random.pick(victims);
    const { life } = member;
    if (life === undefined) return false;
    life.fuse = random.between(0, LAST_ACTS);
    await this.#turns(DYING, () => life.isDead);
    member.bury("process");
    this.#time.setTimer(() => {
      if (this.#isWanted && member.life === undefined) void member.start();
    }, this.#restartAfter);
    return true;
  }

  async stop(): Promise<void> {
    this.#isWanted = false;
    await Promise.all(this.#members.map((member) => member.stop()));
  }

  /** @returns false: only waiting is left */
  #step(): boolean {
    const random = this.#random;
    const busy = this.#members.filter(({ life }) => life?.hasWork === true);
    const outside = [...this.#outside].filter((endpoint) => endpoint.hasNews);
    if (busy.length + outside.length === 0) return false;
    const at = random.between(0, busy.length + outside.length - 1);
    const member = busy[at];
    if (member !== undefined) member.life?.turn(random);
    else {
      const endpoint = outside[at - busy.length] as SimEndpoint;
      endpoint.deliver();
      if (endpoint.isOver) this.#outside.delete(endpoint);
    }
    this.#time.pass(random.next() * 0.1);
    return true;
  }

  /** Runs at most so many turns, or until the condition holds. */
  async #turns(most: number, isSo: () => boolean): Promise<void> {
    for (let left = most; left > 0 && !isSo(); left--) {
      // The steps are taken by `drive`, between these.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  #dial(clientId: string, version: 3 | 4 | 5, owner: LinkOwner, opened: () => void): ClientLink {
    const home = homeOf(clientId, this.#members.length);
    // Sockets are handed over to their home, other connections are relayed from where they arrive.
    const up = this.#members.filter(({ isUp }) => isUp);
    const member = this.#random.chance(0.7) || up.length === 0 ? this.#members[home] : this.#random.pick(up);
    const life = member?.isUp === true ? member.life : undefined;
    const link = new SimLink(version, owner);
    this.#time.setTimer(() => {
      if (life?.broker.state !== "started" || life.isDead) {
        link.destroy();
        return;
      }
      const [mine, its] = SimEndpoint.pair(OUTSIDE, life);
      this.#outside.add(mine);
      if (!link.connected(mine)) return;
      life.broker.accept(life.own(its), { listener: "memory" });
      opened();
    }, 0.1);
    return link;
  }
}

class SimLink implements ClientLink {
  readonly #version: 3 | 4 | 5;
  #owner: LinkOwner | undefined;
  #endpoint: SimEndpoint | undefined;

  constructor(version: 3 | 4 | 5, owner: LinkOwner) {
    this.#version = version;
    this.#owner = owner;
  }

  /** @returns false: it is not wanted any more */
  connected(endpoint: SimEndpoint): boolean {
    if (this.#owner === undefined) return false;
    this.#endpoint = endpoint;
    const decoder = new PacketDecoder({ version: this.#version });
    endpoint.attach({
      data: (bytes, start, end) => {
        try {
          for (const packet of decoder.push(bytes.subarray(start, end))) this.#owner?.packet(packet);
        } catch (error) {
          this.#owner?.broken(error);
          this.destroy();
        }
      },
      drain: () => {},
      closed: () => this.#end(),
    });
    return true;
  }

  send(packet: Parameters<typeof encode>[0]): void {
    this.#endpoint?.write(encode(packet, this.#version));
  }

  destroy(): void {
    this.#endpoint?.destroy();
    this.#end();
  }

  #end(): void {
    const owner = this.#owner;
    this.#owner = undefined;
    owner?.closed();
  }
}
