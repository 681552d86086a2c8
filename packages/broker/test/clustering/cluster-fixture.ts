// Several brokers in this process that act as one: their links and their clients' connections are joined in memory, one
// clock drives them all.
import { homeOf, LoopbackMesh, MeshBus } from "@wrenmq/cluster";
import type { ProtocolVersion } from "@wrenmq/codec";
import type { Store } from "@wrenmq/store";
import { memoryPair } from "@wrenmq/transport/memory";
import { pluginOf, RawClient, SimClock, SimPace } from "../../../../tools/testkit/src/index.ts";
import { type Broker, type BrokerOptions, createBroker } from "../../src/index.ts";
import { RepeatingMesh } from "./repeating-mesh.ts";

export interface ClusterFixture {
  readonly brokers: readonly Broker[];
  readonly buses: readonly MeshBus[];
  readonly clock: SimClock;
  /** A new connection to one of the brokers, whoever serves it then. */
  open(at: number, version?: ProtocolVersion): RawClient;
  /** A client that is in, served by the broker that it has reached. */
  connect(at: number, options?: ConnectOptions): Promise<RawClient>;
  /** The process of a broker ends without a word. */
  kill(at: number): Promise<void>;
  /** A broker that was killed is started again. */
  revive(at: number, store?: Store): Promise<void>;
  stop(): Promise<void>;
}

interface ConnectOptions extends NonNullable<Parameters<RawClient["connect"]>[0]> {
  readonly version?: ProtocolVersion;
}

/** A client identifier whose home is this broker. */
export function clientIdAt(home: number, count: number, prefix = "client"): string {
  for (let number = 0; ; number++) if (homeOf(`${prefix}-${number}`, count) === home) return `${prefix}-${number}`;
}

let isOverLinksOfNats = false;

/** From now on clusters of this file have links as over NATS, on a bus that repeats messages. */
export function useLinksOfNats(): void {
  isOverLinksOfNats = true;
}

export async function startCluster(
  count: number,
  options: (at: number) => BrokerOptions = () => ({}),
): Promise<ClusterFixture> {
  const clock = new SimClock();
  const pace = new SimPace(clock);
  const mesh = isOverLinksOfNats ? new RepeatingMesh(clock) : new LoopbackMesh({ schedule: clock.schedule });
  const brokers: Broker[] = [];
  const buses: MeshBus[] = [];
  /** Clocks that stop with the process that they belong to. */
  const alive: { is: boolean }[] = [];
  const unused = new Map<number, number>();

  const make = (self: number, given: BrokerOptions): void => {
    const life = { is: true };
    alive[self] = life;
    const bus = new MeshBus({
      self,
      count,
      transport: mesh.member(self),
      accept: (connection, listener) => brokers[self]?.accept(connection, { listener, handedOver: true }),
    });
    buses[self] = bus;
    brokers[self] = createBroker({
      listeners: { memory: { type: "external" } },
      sys: { intervalSeconds: 0 },
      plugins: [pluginOf("test", { authenticate: () => true })],
      ...given,
      bus,
      placement: {
        isHome: (clientId) => homeOf(clientId, count) === self,
        handOver: (connection, { clientId, listener }, head) => {
          const next = bus.relay(homeOf(clientId, count), connection, listener, head);
          return next ?? "lost";
        },
      },
      clock: {
        now: () => clock.now(),
        at: (time, callback) => clock.at(time, () => life.is && callback()),
        soon: (callback) => clock.soon(() => life.is && callback()),
      },
    });
  };
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    let isDone = false;
    const done = (): void => {
      isDone = true;
    };
    promise.then(done, done);
    while (!isDone) {
      await clock.settle();
      if (!isDone) await clock.advance(10);
    }
    return promise;
  };

  for (let self = 0; self < count; self++) make(self, options(self));
  await settled(Promise.all(brokers.map((broker) => broker.start())));
  const open = (at: number, version: ProtocolVersion = 5): RawClient => {
    const [client, server] = memoryPair({ schedule: clock.schedule });
    (brokers[at] as Broker).accept(server, { listener: "memory" });
    return new RawClient(client, version, pace);
  };
  return {
    brokers,
    buses,
    clock,
    open,
    async connect(at, { version, ...packet } = {}) {
      const client = open(at, version);
      const number = unused.get(at) ?? 0;
      unused.set(at, number + 1);
      await client.connect({ clientId: clientIdAt(at, count, `at-${at}-${number}`), ...packet });
      return client;
    },
    async kill(at) {
      (alive[at] as { is: boolean }).is = false;
      mesh.cut(at);
      await clock.settle();
    },
    async revive(at, store) {
      make(at, { ...options(at), ...(store === undefined ? {} : { store }) });
      await settled((brokers[at] as Broker).start());
      await clock.settle();
    },
    async stop() {
      await clock.settle();
      const running = brokers.filter((broker, at) => broker.state === "started" && alive[at]?.is === true);
      await settled(Promise.all(running.map((broker) => broker.shutdown())));
    },
  };
}
