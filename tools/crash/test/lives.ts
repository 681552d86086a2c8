// A broker that is started again and again on one folder, by a clock that a test turns.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker } from "@wrenmq/broker";
import type { ConnackPacket } from "@wrenmq/codec";
import { FileStore } from "@wrenmq/store-file";
import { RawClient, SimClock, SimPace } from "@wrenmq/testkit";
import { memoryPair } from "@wrenmq/transport/memory";
import { onTestFinished } from "vitest";

/** CONNECT options of a session that outlives its connections. */
export const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 10_000 } };

/** A broker on a folder, again and again, with one clock for all its lives. */
export class Lives {
  readonly clock: SimClock = new SimClock();
  readonly #pace = new SimPace(this.clock);
  readonly #path = mkdtempSync(join(tmpdir(), "wrenmq-restart-"));
  readonly #maxBytes: number | undefined;
  #broker = this.#make();
  #clients: RawClient[] = [];

  constructor(maxBytes?: number) {
    this.#maxBytes = maxBytes;
    onTestFinished(async () => {
      await this.stop();
      rmSync(this.#path, { recursive: true, force: true });
    });
  }

  #make() {
    const maxBytes = this.#maxBytes;
    return createBroker({
      listeners: { memory: { type: "external" } },
      plugins: [{ name: "everyone", setup: () => ({ authenticate: () => true }) }],
      sys: { intervalSeconds: 0 },
      clock: this.clock,
      store: new FileStore({ path: this.#path, durability: "batch", ...(maxBytes === undefined ? {} : { maxBytes }) }),
    });
  }

  async start(): Promise<void> {
    this.#broker = this.#make();
    await this.#broker.start();
  }

  async stop(): Promise<void> {
    if (this.#broker.state !== "started") return;
    // Nobody is left who would have to be waited for: the shutdown takes no time of this clock.
    for (const client of this.#clients) client.destroy();
    this.#clients = [];
    await this.clock.settle();
    let stopped = false;
    const stopping = this.#broker.shutdown().finally(() => {
      stopped = true;
    });
    while (!stopped) await this.clock.settle();
    await stopping;
  }

  /** Down for so many milliseconds. */
  async restart(down: number): Promise<void> {
    await this.stop();
    await this.clock.advance(down);
    await this.start();
  }

  /** A connection on which nothing was said. */
  open(version: 4 | 5): RawClient {
    const [mine, its] = memoryPair({ schedule: this.clock.schedule });
    this.#broker.accept(its, { listener: "memory" });
    const client = new RawClient(mine, version, this.#pace);
    this.#clients.push(client);
    return client;
  }

  async client(
    clientId: string,
    options: Parameters<RawClient["connect"]>[0] = {},
    version: 4 | 5 = 5,
  ): Promise<{ readonly client: RawClient; readonly connack: ConnackPacket }> {
    const client = this.open(version);
    return { client, connack: await client.connect({ clientId, ...options }) };
  }
}
