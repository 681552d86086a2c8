// A broker in this process on a store that loses what is not durable. A crash abandons the broker: the connections of
// its clients are cut, its store refuses everything, and what it does after that has no effect.
import { type Broker, createBroker } from "@wrenmq/broker";
import type { MemoryStore } from "@wrenmq/store";
import type { Random } from "../random.ts";
import type { BrokerUnderTest } from "./broker-under-test.ts";
import { type Faults, PowerLossStore } from "./power-loss-store.ts";

export class BrokerInProcess implements BrokerUnderTest {
  readonly sharesProcess: boolean = true;
  readonly #random: Random;
  readonly #faults: Faults;
  #disk: MemoryStore | undefined;
  #store: PowerLossStore | undefined;
  #broker: Broker | undefined;
  readonly #leftBehind: Promise<void>[] = [];
  refusals: number = 0;

  constructor(random: Random, faults: Faults) {
    this.#random = random;
    this.#faults = faults;
  }

  get refuses(): boolean {
    return this.#faults.refused > 0;
  }

  async start(): Promise<number | undefined> {
    this.#store = new PowerLossStore(this.#random.fork(), this.#faults, this.#disk);
    this.#broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [{ name: "everyone", setup: () => ({ authenticate: () => true }) }],
      store: this.#store,
      sys: { intervalSeconds: 0 },
    });
    await this.#broker.start();
    return this.#broker.port("tcp");
  }

  crash(): Promise<void> {
    const [store, broker] = [this.#store, this.#broker];
    this.#broker = undefined;
    if (store === undefined || broker === undefined) return Promise.resolve();
    this.#disk = store.loseThePower();
    this.refusals += store.refusals;
    this.#leftBehind.push(broker.shutdown());
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    await this.#broker?.shutdown();
    await this.crash();
    await Promise.all(this.#leftBehind);
  }
}
