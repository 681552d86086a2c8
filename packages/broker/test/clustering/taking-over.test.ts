// A broker whose store goes to another process: it ends in order, so that nothing is refused, or at once, so that nothing
// is said any more; and what the next one does about wills.
import type { ConnectPacket } from "@wrenmq/codec";
import { MemoryStore } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { afterEach, describe, expect, test } from "vitest";
import { text } from "../../../../tools/testkit/src/index.ts";
import type { BrokerOptions } from "../../src/index.ts";
import { type ClusterFixture, clientIdAt, startCluster } from "./cluster-fixture.ts";

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 10_000 } } as const;
let cluster: ClusterFixture;
afterEach(() => cluster.stop());

async function start(options: BrokerOptions = {}) {
  const disks = [new MemoryStore(), new MemoryStore()] as const;
  const stores = disks.map((disk) => new FaultyStore(disk)) as [FaultyStore, FaultyStore];
  cluster = await startCluster(2, (at) => ({ ...options, store: stores[at === 0 ? 0 : 1] }));
  return { disks, stores };
}

const come = (at: number, name: string, options: Partial<ConnectPacket> = {}, version: 4 | 5 = 5) =>
  cluster.connect(at, {
    clientId: clientIdAt(at, 2, name),
    version,
    ...(version === 5 ? lasting : { cleanStart: false }),
    ...options,
  });

async function within<T>(promise: Promise<T>): Promise<T> {
  let isDone = false;
  const done = (): void => {
    isDone = true;
  };
  promise.then(done, done);
  while (!isDone) await cluster.clock.advance(10);
  return promise;
}

async function subscriberAt1(): Promise<void> {
  const client = await come(1, "subscriber");
  await client.subscribe("#", { qos: 2 });
  await client.cut();
}

async function heard(): Promise<string[]> {
  const client = await come(1, "subscriber");
  const found: string[] = [];
  for (const packet of await client.rest()) if (packet.type === "publish") found.push(text(packet.payload));
  await client.cut();
  return found;
}

describe("a broker that ends in order", () => {
  test.each([4, 5] as const)(
    "MQTT version %i: nothing is refused, publishers of other brokers wait for the next one",
    async (version) => {
      const { disks, stores } = await start();
      await subscriberAt1();
      const publisher = await come(0, "publisher", {}, version);
      // Taken by the one that ends, and not durable there when it is told to.
      stores[1].holdCommits();
      for (let number = 0; number < 5; number++)
        publisher.send(publisher.publishPacket("t", `before ${number}`, { qos: 1 }));
      await cluster.clock.settle();
      const ended = cluster.brokers[1]?.shutdown({ elsewhere: true }) as Promise<void>;
      await cluster.clock.advance(10);
      for (let number = 0; number < 5; number++)
        publisher.send(publisher.publishPacket("t", `after ${number}`, { qos: 1 }));
      await publisher.expectNothing();
      stores[1].releaseCommits();
      await within(ended);
      for (let number = 0; number < 5; number++) await publisher.expect("puback");
      await publisher.expectNothing();
      await cluster.revive(1, disks[1]);
      for (let number = 0; number < 5; number++) await publisher.expect("puback");
      const numbers = [0, 1, 2, 3, 4];
      expect(await heard()).toEqual([
        ...numbers.map((one) => `before ${one}`),
        ...numbers.map((one) => `after ${one}`),
      ]);
    },
  );

  test("MQTT 5 clients are told to use another server", async () => {
    await start();
    const client = await come(1, "client");
    const ended = cluster.brokers[1]?.shutdown({ elsewhere: true }) as Promise<void>;
    expect(await client.expect("disconnect")).toMatchObject({ reasonCode: 0x9c });
    await client.cut();
    await within(ended);
  });
});

describe("a broker that is abandoned", () => {
  test("cuts its connections and acknowledges nothing more; no will goes out, and the store stays as it is", async () => {
    const { disks, stores } = await start();
    await subscriberAt1();
    const will = { topic: "wills", payload: new TextEncoder().encode("dead"), qos: 1, retain: false } as const;
    const client = await come(1, "mortal", { will });
    const publisher = await come(1, "publisher");
    const other = await come(0, "other");
    stores[1].holdCommits();
    publisher.send(publisher.publishPacket("t", "unanswered", { qos: 1 }));
    other.send(other.publishPacket("t", "from afar", { qos: 1 }));
    await cluster.clock.settle();
    const before = disks[1].stats();
    const abandoned = cluster.brokers[1]?.abandon() as Promise<void>;
    stores[1].releaseCommits();
    await within(abandoned);
    expect(cluster.brokers[1]?.state).toBe("stopped");
    expect((await publisher.rest()).map(({ type }) => type)).toEqual([]);
    expect((await client.rest()).map(({ type }) => type)).toEqual([]);
    expect(disks[1].stats()).toEqual(before);
  });

  test("may be abandoned while it starts, and while it ends", async () => {
    await start();
    const ended = cluster.brokers[1]?.shutdown() as Promise<void>;
    await within(Promise.allSettled([ended, cluster.brokers[1]?.abandon()]));
    expect(cluster.brokers[1]?.state).toBe("stopped");
    const begun = cluster.brokers[1]?.start() as Promise<void>;
    await within(Promise.allSettled([begun, cluster.brokers[1]?.abandon()]));
    expect(cluster.brokers[1]?.state).toBe("stopped");
    await expect(begun).rejects.toThrow(/start\(\) while the broker is/);
  });
});

describe("MQTT 5.0: wills of clients that were connected when their broker ended", () => {
  const will = { topic: "wills", payload: new TextEncoder().encode("dead"), qos: 1, retain: false } as const;
  const ending = { cleanStart: true, properties: { sessionExpiryInterval: 0 } };

  test.each([
    ["a session that lasts", lasting],
    ["a session that ends with its connection", ending],
  ])("[MQTT-3.1.2-8] are sent after the grace: %s", async (_what, session) => {
    const { disks } = await start({ takeoverGrace: 5_000 });
    const mourner = await come(0, "mourner");
    await mourner.subscribe("wills", { qos: 1 });
    await come(1, "mortal", { will, ...session });
    await cluster.kill(1);
    await cluster.revive(1, disks[1]);
    await cluster.clock.advance(4_000);
    await mourner.expectNothing();
    await cluster.clock.advance(2_000);
    await mourner.take("wills", "dead", { qos: 1 });
  });

  test.each([
    ["a session that lasts", lasting],
    ["a session that ends with its connection", ending],
  ])("[MQTT-3.1.3-9] are not sent if the client is back: %s", async (_what, session) => {
    const { disks } = await start({ takeoverGrace: 5_000 });
    const mourner = await come(0, "mourner");
    await mourner.subscribe("wills", { qos: 1 });
    await come(1, "mortal", { will, ...session });
    await cluster.kill(1);
    await cluster.revive(1, disks[1]);
    await cluster.clock.advance(1_000);
    const back = await come(1, "mortal", session);
    await cluster.clock.advance(10_000);
    await mourner.expectNothing();
    await back.disconnect();
    await mourner.expectNothing();
  });
});
