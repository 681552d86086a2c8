// A broker in this process with a simulated clock, and clients that are connected to it in memory.
import { type Broker, type BrokerOptions, createBroker } from "@wrenmq/broker";
import type { ProtocolVersion } from "@wrenmq/codec";
import type { Hooks, Plugin } from "@wrenmq/plugin-api";
import { memoryPair } from "@wrenmq/transport/memory";
import { SimPace } from "./pace.ts";
import { RawClient } from "./raw-client.ts";
import { SimClock } from "./sim-clock.ts";

export interface FixtureOptions extends Omit<BrokerOptions, "clock" | "plugins"> {
  /** Hooks of a plugin that admits everybody, unless it has `authenticate`. */
  readonly hooks?: Hooks;
  readonly plugins?: readonly Plugin[];
  /** Bytes that a client reads at once. Default: all of them. */
  readonly chunkSize?: number;
}

export interface BrokerFixture {
  readonly broker: Broker;
  readonly clock: SimClock;
  readonly pace: SimPace;
  /** A new connection on which nothing was sent. */
  open(version: ProtocolVersion): RawClient;
  /** A connected client. */
  connect(version: ProtocolVersion, options?: Parameters<RawClient["connect"]>[0]): Promise<RawClient>;
  stop(): Promise<void>;
}

/** A plugin made of one object. */
export function pluginOf(name: string, hooks: Hooks): Plugin {
  return { name, setup: () => hooks };
}

export async function startBroker(options: FixtureOptions = {}): Promise<BrokerFixture> {
  const { hooks, plugins, chunkSize, ...rest } = options;
  const clock = new SimClock();
  const pace = new SimPace(clock);
  const broker = createBroker({
    listeners: { memory: { type: "external" } },
    sys: { intervalSeconds: 0 },
    ...rest,
    plugins: plugins ?? [pluginOf("test", { authenticate: () => true, ...hooks })],
    clock,
  });
  await broker.start();
  const open = (version: ProtocolVersion): RawClient => {
    const [client, server] = memoryPair({
      schedule: clock.schedule,
      ...(chunkSize === undefined ? {} : { chunkSize }),
    });
    broker.accept(server, { listener: "memory" });
    return new RawClient(client, version, pace);
  };
  return {
    broker,
    clock,
    pace,
    open,
    async connect(version, connectOptions) {
      const client = open(version);
      await client.connect(connectOptions);
      return client;
    },
    async stop() {
      await clock.settle();
      const stopping = broker.shutdown();
      // Clients answer the end of their connection when the simulation runs.
      let stopped = false;
      void stopping.then(
        () => {
          stopped = true;
        },
        () => {
          stopped = true;
        },
      );
      while (!stopped) {
        await clock.settle();
        await clock.advance(10);
      }
      await stopping;
    },
  };
}
