// One member of a simulated cluster, through all its processes: a broker on a store, until it dies between any two
// events that others can see.
import { type Broker, createBroker } from "@wrenmq/broker";
import { homeOf, MeshBus, type MeshTransport } from "@wrenmq/cluster";
import { MemoryStore, type Store, type StoreOp } from "@wrenmq/store";
import type { Accept } from "@wrenmq/transport";
import { type Faults, PowerLossStore } from "../brokers/power-loss-store.ts";
import type { Random } from "../random.ts";
import { SimEndpoint, type SimOwner } from "./sim-network.ts";
import type { SimTime } from "./sim-time.ts";

export interface MemberOptions {
  readonly self: number;
  readonly count: number;
  readonly time: SimTime;
  readonly random: Random;
  /** undefined: what is applied is durable at once */
  readonly faults: Faults | undefined;
  /** The other members. */
  member(id: number): SimMember | undefined;
}

export class SimMember {
  readonly #options: MemberOptions;
  #life: Life | undefined;
  #disk: MemoryStore | undefined;

  constructor(options: MemberOptions) {
    this.#options = options;
  }

  /** The running process; a dead one stays here until `bury`. */
  get life(): Life | undefined {
    return this.#life;
  }

  get isUp(): boolean {
    return this.#life?.broker.state === "started";
  }

  /** Resolves when it serves clients, or has died. */
  async start(): Promise<void> {
    const life = new Life(this.#options, this.#disk);
    this.#life = life;
    await Promise.race([life.start(), life.died]);
  }

  /** Resolves when it has stopped as by an operator. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (life === undefined) return;
    // One that has not begun would not hear it.
    if (life.isServing) await Promise.race([life.broker.shutdown(), life.died]);
    this.bury("process");
  }

  /** @param what ended: the process only, or the machine with everything that its disk had not written */
  bury(what: "process" | "power"): void {
    const life = this.#life;
    this.#life = undefined;
    if (life === undefined) return;
    this.#disk = life.end(what);
  }
}

/** One process. */
export class Life implements SimOwner {
  readonly broker: Broker;
  readonly died: Promise<void>;
  isServing: boolean = false;
  /** Number of visible events until it dies. */
  fuse: number = Number.POSITIVE_INFINITY;
  readonly #options: MemberOptions;
  readonly #store: MemoryStore | PowerLossStore;
  readonly #endpoints = new Set<SimEndpoint>();
  #accept: Accept | undefined;
  #soon: (() => void)[] = [];
  #isDead = false;
  #tellDied: () => void = () => {};

  constructor(options: MemberOptions, disk: MemoryStore | undefined) {
    this.#options = options;
    const { self, count, time, random, faults } = options;
    this.died = new Promise((resolve) => {
      this.#tellDied = resolve;
    });
    const memory = disk ?? new MemoryStore();
    this.#store =
      faults === undefined
        ? memory
        : new PowerLossStore(random.fork(), faults, memory, (callback, after) => time.setTimer(callback, after));
    const bus = new MeshBus({
      self,
      count,
      transport: this.#transport(),
      accept: (connection, listener) => this.broker.accept(connection, { listener, handedOver: true }),
    });
    this.broker = createBroker({
      listeners: { memory: { type: "external" } },
      plugins: [{ name: "everyone", setup: () => ({ authenticate: () => true }) }],
      store: mortalStore(this.#store, this),
      sys: { intervalSeconds: 0 },
      logger: SILENT,
      bus,
      placement: {
        isHome: (clientId) => homeOf(clientId, count) === self,
        handOver: (connection, { clientId, listener }, head) =>
          bus.relay(homeOf(clientId, count), connection, listener, head) ?? "lost",
      },
      clock: {
        now: () => time.now(),
        at: (when, callback) => time.at(when, () => !this.#isDead && callback()),
        soon: (callback) => void this.#soon.push(callback),
      },
    });
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  async start(): Promise<void> {
    await this.broker.start();
    this.isServing = !this.#isDead;
  }

  act(): boolean {
    if (this.#isDead) return false;
    this.fuse--;
    if (this.fuse < 0) this.#die();
    return !this.#isDead;
  }

  /** @returns its end of a new connection */
  own(endpoint: SimEndpoint): SimEndpoint {
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  get hasWork(): boolean {
    if (this.#isDead) return false;
    if (this.#soon.length > 0) return true;
    for (const endpoint of this.#endpoints) if (endpoint.hasNews) return true;
    return false;
  }

  /** A turn of its event loop: reads some of what has arrived, in any order, then ends the turn. */
  turn(random: Random): void {
    for (let left = random.between(1, 6); left > 0 && !this.#isDead; left--) {
      const ready = [...this.#endpoints].filter((endpoint) => endpoint.hasNews);
      if (ready.length === 0) break;
      const endpoint = random.pick(ready);
      endpoint.deliver();
      if (endpoint.isOver) this.#endpoints.delete(endpoint);
    }
    const soon = this.#soon;
    this.#soon = [];
    for (const callback of soon) if (!this.#isDead) callback();
  }

  /** @returns the contents of the disk */
  end(what: "process" | "power"): MemoryStore {
    this.#die();
    const { random } = this.#options;
    // A reset may overtake the last bytes; what peers have written to each other can still be read.
    for (const endpoint of this.#endpoints) endpoint.cut(random.chance(0.3) ? random.between(0, 3) : undefined);
    const store = this.#store;
    if (store instanceof MemoryStore) return store;
    return what === "power" ? store.loseThePower() : store.endTheProcess();
  }

  #die(): void {
    this.#isDead = true;
    this.isServing = false;
    this.#tellDied();
  }

  #transport(): MeshTransport {
    const { member } = this.#options;
    return {
      listen: (accept) => {
        this.#accept = accept;
        return Promise.resolve();
      },
      dial: async (id) => {
        const peer = member(id)?.life;
        if (peer === undefined || peer.#accept === undefined || peer.isDead || !this.act()) {
          throw new Error(`member ${id} is not there`);
        }
        const [mine, its] = SimEndpoint.pair(this, peer);
        this.own(mine);
        const handler = peer.#accept(peer.own(its));
        if (handler !== undefined) its.attach(handler);
        return mine;
      },
      close: () => {
        this.#accept = undefined;
        return Promise.resolve();
      },
    };
  }
}

const SILENT = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {}, child: () => SILENT } as const;

/** The store of a process: nothing is written after its death. */
function mortalStore(store: Store, owner: SimOwner): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === "apply") return (batch: readonly StoreOp[]) => (owner.act() ? target.apply(batch) : undefined);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
