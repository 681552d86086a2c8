// Brokers that come and go: a lost link is not the end of a broker, and what was for it waits until it is back or gone.

import { LoopbackMesh, MeshBus, type MeshMember } from "@wrenmq/cluster";
import { memoryPair } from "@wrenmq/transport/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import { pluginOf, RawClient, SimClock, SimPace } from "../../../../tools/testkit/src/index.ts";
import { type Broker, createBroker } from "../../src/index.ts";

interface Site {
  readonly clock: SimClock;
  readonly buses: readonly MeshBus[];
  connect(at: number, clientId: string): Promise<RawClient>;
  /** All brokers that run learn of these members. */
  setMembers(...runs: readonly (readonly [id: number, run: number])[]): Promise<void>;
  /** The links of a broker are lost, and cannot be made again until `heal`. */
  cut(at: number): Promise<void>;
  heal(at: number): Promise<void>;
  start(at: number): Promise<void>;
}

async function site(count: number): Promise<Site> {
  const clock = new SimClock();
  const mesh = new LoopbackMesh({ schedule: clock.schedule });
  const apart = new Set<number>();
  const buses: MeshBus[] = [];
  const brokers: Broker[] = [];
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
  const make = (self: number): void => {
    const inner = mesh.member(self);
    const bus = new MeshBus({
      self,
      transport: {
        ...inner,
        dial: (peer, buffer) =>
          apart.has(peer) || apart.has(self) ? Promise.reject(new Error("apart")) : inner.dial(peer, buffer),
      },
    });
    buses[self] = bus;
    brokers[self] = createBroker({
      listeners: { memory: { type: "external" } },
      sys: { intervalSeconds: 0 },
      plugins: [pluginOf("test", { authenticate: () => true })],
      bus,
      clock,
    });
  };
  for (let self = 0; self < count; self++) make(self);
  const all = (members: readonly MeshMember[]): void => {
    for (const bus of buses) bus.setMembers(members);
  };
  all(Array.from({ length: count }, (_, id) => ({ id, run: id + 1 })));
  await settled(Promise.all(brokers.map((broker) => broker.start())));
  onTestFinished(async () => {
    const ending = Promise.all(brokers.map((broker) => broker.shutdown()));
    await settled(ending);
  });
  return {
    clock,
    buses,
    async connect(at, clientId) {
      const [client, server] = memoryPair({ schedule: clock.schedule });
      (brokers[at] as Broker).accept(server, { listener: "memory" });
      const raw = new RawClient(client, 5, new SimPace(clock));
      await raw.connect({ clientId, properties: { sessionExpiryInterval: 600 } });
      return raw;
    },
    async setMembers(...runs) {
      all(runs.map(([id, run]) => ({ id, run })));
      await clock.advance(1_000);
    },
    async cut(at) {
      apart.add(at);
      for (const bus of buses) for (const { id, link } of bus.peers) if (id === at) link?.fail(undefined);
      await clock.settle();
    },
    async heal(at) {
      apart.delete(at);
      await clock.advance(1_000);
    },
    async start(at) {
      make(at);
      buses[at]?.setMembers(Array.from({ length: at + 1 }, (_, id) => ({ id, run: id + 1 })));
      all(Array.from({ length: at + 1 }, (_, id) => ({ id, run: id + 1 })));
      await settled((brokers[at] as Broker).start());
    },
  };
}

describe("a broker that cannot be reached for a while", () => {
  test("messages for its subscribers wait, and so do their acknowledgements", async () => {
    const { connect, cut, heal, clock } = await site(3);
    const subscriber = await connect(1, "subscriber");
    await subscriber.subscribe("a/#", { qos: 1 });
    const publisher = await connect(0, "publisher");
    await cut(1);
    publisher.send(publisher.publishPacket("a/b", "held", { qos: 1 }));
    await clock.advance(5_000);
    await publisher.expectNothing();
    await heal(1);
    await publisher.expect("puback", { reasonCode: 0 });
    await subscriber.take("a/b", "held", { qos: 1 });
    await subscriber.expectNothing();
  });

  test("is gone: nobody is left who could miss them", async () => {
    const { connect, cut, setMembers } = await site(3);
    const subscriber = await connect(1, "subscriber");
    await subscriber.subscribe("a/#", { qos: 1 });
    const publisher = await connect(0, "publisher");
    await cut(1);
    publisher.send(publisher.publishPacket("a/b", "for nobody", { qos: 1 }));
    await publisher.expectNothing();
    await setMembers([0, 1], [2, 3]);
    await publisher.expect("puback", { reasonCode: 0x10 });
    expect(await publisher.publish("a/b", "for nobody", { qos: 1 })).toBe(0x10);
  });

  test("SUBACK waits until it has been told, or is gone", async () => {
    for (const isGone of [false, true]) {
      const { connect, cut, heal, setMembers } = await site(3);
      await cut(1);
      const subscriber = await connect(0, "subscriber");
      subscriber.send({
        type: "subscribe",
        packetId: 1,
        subscriptions: [{ topicFilter: "a", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
      });
      await subscriber.expectNothing();
      if (isGone) await setMembers([0, 1], [2, 3]);
      else await heal(1);
      await subscriber.expect("suback", { packetId: 1 });
    }
  });

  test("a message of a shared subscription that was held for it goes to another when it is gone", async () => {
    const { connect, cut, setMembers } = await site(3);
    const first = await connect(1, "first");
    const second = await connect(2, "second");
    await first.subscribe("$share/g/a", { qos: 1 });
    const publisher = await connect(0, "publisher");
    await cut(1);
    publisher.send(publisher.publishPacket("a", "for one of them", { qos: 1 }));
    await publisher.expectNothing();
    second.send({
      type: "subscribe",
      packetId: 9,
      subscriptions: [
        { topicFilter: "$share/g/a", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 },
      ],
    });
    await second.expectNothing();
    await setMembers([0, 1], [2, 3]);
    await publisher.expect("puback", { reasonCode: 0 });
    expect(await second.messages()).toEqual(["for one of them"]);
  });

  test("a retained message that was set meanwhile is there when it is back, in both directions", async () => {
    const { connect, cut, heal } = await site(3);
    const [far, near] = [await connect(1, "far"), await connect(0, "near")];
    await cut(1);
    await near.publish("r/near", "1", { qos: 0, retain: true });
    await far.publish("r/far", "2", { qos: 0, retain: true });
    await heal(1);
    for (const at of [0, 1, 2]) {
      const reader = await connect(at, `reader-${at}`);
      await reader.subscribe("r/#");
      expect((await reader.messages()).toSorted()).toEqual(["1", "2"]);
    }
  });
});

describe("a broker that comes", () => {
  test("has all retained messages and routes when it has started", async () => {
    const { connect, start } = await site(2);
    const publisher = await connect(0, "publisher");
    for (let number = 0; number < 300; number++) {
      await publisher.publish(`r/${number}`, "x".repeat(10_000), { qos: 0, retain: true });
    }
    const subscriber = await connect(1, "subscriber");
    await subscriber.subscribe("news", { qos: 1 });
    await start(2);
    const reader = await connect(2, "reader");
    await reader.subscribe("r/#");
    expect(await reader.messages()).toHaveLength(300);
    expect(await reader.publish("news", "from the new one", { qos: 1 })).toBe(0);
    await subscriber.take("news", "from the new one", { qos: 1 });
  });

  test("with the number of one that is gone: it has nothing of it", async () => {
    const { connect, setMembers, cut, buses } = await site(2);
    const subscriber = await connect(1, "subscriber");
    await subscriber.subscribe("a", { qos: 1 });
    const publisher = await connect(0, "publisher");
    expect(await publisher.publish("a", "1", { qos: 1 })).toBe(0);
    await cut(1);
    await setMembers([0, 1], [1, 9]);
    expect(buses[0]?.peers.map(({ id, run, up }) => [id, run, up])).toEqual([[1, 9, false]]);
    expect(await publisher.publish("a", "2", { qos: 1 })).toBe(0x10);
  });
});
