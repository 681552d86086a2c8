// Messages that nobody sends again, on their way between brokers any of which may die at any moment: none is lost, and none
// at QoS 2 comes twice. What happens at random moments is in the crash tests.
import type { ConnectPacket, PublishPacket } from "@wrenmq/codec";
import { MemoryStore, type Store } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { afterEach, describe, expect, test } from "vitest";
import { pluginOf, text } from "../../../../tools/testkit/src/index.ts";
import type { BrokerOptions } from "../../src/index.ts";
import { type ClusterFixture, clientIdAt, startCluster } from "./cluster-fixture.ts";

const lasting = { cleanStart: false, properties: { sessionExpiryInterval: 10_000 } } as const;
let cluster: ClusterFixture;
afterEach(() => cluster.stop());

/** Brokers that remember; each one's disk, and the store that it has in this life. */
async function start(count = 2, options: (at: number) => BrokerOptions = () => ({})) {
  const disks = Array.from({ length: count }, () => new MemoryStore());
  const stores = disks.map((disk) => new FaultyStore(disk));
  cluster = await startCluster(count, (at) => ({ ...options(at), store: stores[at] as Store }));
  const killAll = async (): Promise<void> => {
    for (let at = 0; at < count; at++) await cluster.kill(at);
  };
  const revive = async (...all: number[]): Promise<void> => {
    await Promise.all(all.map((at) => cluster.revive(at, disks[at])));
  };
  return { disks, stores, killAll, revive };
}

async function come(at: number, name: string, options: Partial<ConnectPacket> = {}, version: 4 | 5 = 5) {
  const given = version === 5 ? lasting : { cleanStart: false };
  return cluster.connect(at, { clientId: clientIdAt(at, 2, name), version, ...given, ...options });
}

/** A session at broker 1 that wants everything, and has gone. */
async function subscriberAt1(filter = "#", qos: 1 | 2 = 2): Promise<void> {
  const client = await come(1, "subscriber");
  await client.subscribe(filter, { qos });
  await client.cut();
}

async function heard(): Promise<string[]> {
  const client = await come(1, "subscriber");
  const messages = (await client.rest()).filter((packet) => packet.type === "publish");
  await client.cut();
  return messages.map((packet) => text((packet as PublishPacket).payload));
}

describe("MQTT 5.0: a QoS 2 message whose identifier is held while a peer has not got it", () => {
  test("[MQTT-4.3.3-10] reaches the peer after both have died, once, and PUBREC waits for it", async () => {
    const { disks, killAll, revive } = await start();
    await subscriberAt1();
    const publisher = await come(0, "publisher");
    const packet = publisher.publishPacket("t", "1", { qos: 2 });
    await cluster.kill(1);
    publisher.send(packet);
    await publisher.expectNothing();
    expect(disks[0]?.stats().outbox).toBe(1);
    await killAll();
    await revive(0);
    const again = await come(0, "publisher");
    again.send({ ...packet, dup: true });
    await again.expectNothing();
    await revive(1);
    await again.expect("pubrec", { packetId: packet.packetId as number, reasonCode: 0 });
    again.send({ type: "pubrel", packetId: packet.packetId as number, reasonCode: 0 });
    await again.expect("pubcomp", { reasonCode: 0 });
    expect(await heard()).toEqual(["1"]);
    expect(disks[0]?.stats()).toMatchObject({ outbox: 0, messages: 0 });
  });

  test("is taken once by a peer that had taken it already, whose answer was lost", async () => {
    const { stores, killAll, revive, disks } = await start();
    await subscriberAt1();
    const publisher = await come(0, "publisher");
    // The peer has it, but may not say so.
    stores[1]?.holdCommits();
    const packet = publisher.publishPacket("t", "1", { qos: 2 });
    publisher.send(packet);
    await publisher.expectNothing();
    expect([disks[1]?.stats().messages, [...(disks[1]?.origins() ?? [])].length]).toEqual([1, 1]);
    await killAll();
    await revive(0, 1);
    const again = await come(0, "publisher");
    again.send({ ...packet, dup: true });
    await again.expect("pubrec", { reasonCode: 0 });
    expect(await heard()).toEqual(["1"]);
  });

  test("waits for a peer that dies alone; sent again on another connection it waits too", async () => {
    const { stores, revive } = await start();
    await subscriberAt1();
    const publisher = await come(0, "publisher");
    stores[1]?.holdCommits();
    const packet = publisher.publishPacket("t", "1", { qos: 2 });
    publisher.send(packet);
    await publisher.expectNothing();
    await cluster.kill(1);
    await publisher.expectNothing();
    await publisher.cut();
    const again = await come(0, "publisher");
    again.send({ ...packet, dup: true });
    await again.expectNothing();
    await revive(1);
    await again.expect("pubrec", { reasonCode: 0 });
    expect(await heard()).toEqual(["1"]);
  });

  test.each([4, 5] as const)(
    "is never refused because a peer has died: several in flight (MQTT %d)",
    async (version) => {
      const { stores, revive } = await start();
      await subscriberAt1();
      const publisher = await come(0, "publisher", {}, version);
      stores[1]?.holdCommits();
      const packets = ["1", "2", "3"].map((payload) => publisher.publishPacket("t", payload, { qos: 2 }));
      for (const packet of packets) publisher.send(packet);
      await publisher.expectNothing();
      await cluster.kill(1);
      await publisher.expectAlive();
      await revive(1);
      for (const { packetId } of packets) await publisher.expect("pubrec", { packetId: packetId as number });
      expect(await heard()).toEqual(["1", "2", "3"]);
    },
  );

  test("leaves for the peer when it is durable, not sooner: a crash before leaves nothing behind", async () => {
    const { stores, disks, killAll, revive } = await start();
    await subscriberAt1();
    const publisher = await come(0, "publisher");
    stores[0]?.holdCommits();
    const packet = publisher.publishPacket("t", "1", { qos: 2 });
    publisher.send(packet);
    await publisher.expectNothing();
    expect(disks[1]?.stats().messages).toBe(0);
    stores[0]?.releaseCommits();
    await publisher.expect("pubrec", { reasonCode: 0 });
    expect(disks[1]?.stats().messages).toBe(1);
    await killAll();
    await revive(0, 1);
    expect(await heard()).toEqual(["1"]);
  });

  test("of a client whose session ends with its connection need not outlive this broker, only the peer", async () => {
    const { stores, disks, revive } = await start();
    await subscriberAt1();
    const publisher = await cluster.connect(0);
    stores[1]?.holdCommits();
    publisher.send(publisher.publishPacket("t", "1", { qos: 2 }));
    await publisher.expectNothing();
    expect([disks[0]?.stats().outbox, cluster.brokers[0]?.metrics().outbox]).toEqual([0, 1]);
    await cluster.kill(1);
    await revive(1);
    await publisher.expect("pubrec", { reasonCode: 0 });
    expect(await heard()).toEqual(["1"]);
    expect(cluster.brokers[0]?.metrics()).toMatchObject({ outbox: 0, outboxBytes: 0 });
  });

  test("passes on to another broker when the last member of a shared subscription has left, and is not lost on that way", async () => {
    const { stores, disks, revive, killAll } = await start(3);
    const there = await cluster.connect(1, { clientId: clientIdAt(1, 3, "m"), ...lasting });
    await there.subscribe("$share/g/t", { qos: 2 });
    const publisher = await cluster.connect(0, { clientId: clientIdAt(0, 3, "p"), ...lasting });
    // Under way to broker 1 when its member leaves and another one comes at broker 2.
    stores[0]?.holdCommits();
    publisher.send(publisher.publishPacket("t", "1", { qos: 2 }));
    await publisher.expectNothing();
    const other = await cluster.connect(2, { clientId: clientIdAt(2, 3, "m"), ...lasting });
    await other.subscribe("$share/g/t", { qos: 2 });
    await other.cut();
    await there.unsubscribe("$share/g/t");
    await cluster.kill(2);
    stores[0]?.releaseCommits();
    await publisher.expectNothing();
    expect(disks[1]?.stats().outbox).toBe(1);
    await killAll();
    await revive(0, 1, 2);
    const back = await cluster.connect(2, { clientId: clientIdAt(2, 3, "m"), ...lasting });
    expect(await back.messages()).toEqual(["1"]);
  });
});

describe("numbers", () => {
  test("of a process that is gone are forgotten when nothing of it is left", async () => {
    const { disks, killAll, revive } = await start();
    await subscriberAt1();
    await (await come(0, "publisher")).publish("t", "1", { qos: 2 });
    const [first] = [...(disks[1]?.origins() ?? [])];
    expect(first).toMatchObject({ store: disks[0]?.identity(), taken: 1 });
    await killAll();
    await revive(0, 1);
    await (await come(0, "publisher")).publish("t", "2", { qos: 2 });
    const origins = [...(disks[1]?.origins() ?? [])];
    expect(origins).toHaveLength(1);
    expect(origins[0]).toMatchObject({ store: first?.store, taken: expect.any(Number) });
    expect(origins[0]?.run).not.toBe(first?.run);
    expect(await heard()).toEqual(["1", "2"]);
  });
});

describe("what no client sends again", () => {
  const will = (qos: 1 | 2) => ({ topic: "w", payload: new TextEncoder().encode("will"), qos, retain: false }) as const;

  test.each([1, 2] as const)("a will at QoS %d reaches the peers after all have died", async (qos) => {
    const { disks, killAll, revive } = await start();
    await subscriberAt1("w", qos);
    const client = await come(0, "mortal", { will: will(qos) });
    await cluster.kill(1);
    await client.cut();
    expect(disks[0]?.stats().outbox).toBe(1);
    await killAll();
    await revive(0, 1);
    expect(await heard()).toEqual(["will"]);
  });

  test.each([1, 2] as const)(
    "a will at QoS %d that is due at the start waits until it is known who wants it",
    async (qos) => {
      const { killAll, revive } = await start();
      await subscriberAt1("w", qos);
      await come(0, "mortal", { will: will(qos) });
      await killAll();
      // Its broker starts long before the other one.
      await revive(0);
      await killAll();
      await revive(0);
      await revive(1);
      expect(await heard()).toEqual(["will"]);
    },
  );

  test("what a plugin publishes above QoS 0", async () => {
    const { killAll, revive } = await start();
    await subscriberAt1();
    await cluster.kill(1);
    cluster.brokers[0]?.publish("t", "1", { qos: 1 });
    cluster.brokers[0]?.publish("t", "0");
    await cluster.clock.settle();
    await killAll();
    await revive(0, 1);
    expect(await heard()).toEqual(["1"]);
  });
});

describe("until all peers have been heard of", () => {
  test("messages above QoS 0 are refused: who wants them is not known", async () => {
    const { killAll, revive } = await start();
    await subscriberAt1();
    await killAll();
    await revive(0);
    const publisher = await cluster.connect(0);
    for (const qos of [1, 2] as const) expect(await publisher.publish("t", "no", { qos })).toBe(0x97);
    await publisher.publish("t", "0", { qos: 0 });
    const old = await cluster.connect(0, { version: 4 });
    old.send(old.publishPacket("t", "no", { qos: 1 }));
    await old.expectClosed();
    await revive(1);
    for (const qos of [1, 2] as const) expect(await publisher.publish("t", `${qos}`, { qos })).toBe(0);
    expect(await heard()).toEqual(["1", "2"]);
  });
});

describe("retained messages", () => {
  /** Written down by broker 1. */
  const topic = clientIdAt(1, 2, "topic");
  const retainedAt = async (at: number): Promise<string[]> => {
    const client = await cluster.connect(at);
    await client.subscribe("#");
    const messages = await client.messages();
    await client.cut();
    return messages;
  };

  test("reach the broker that writes them down after all have died, and all others through it", async () => {
    const { killAll, revive } = await start();
    const publisher = await come(0, "publisher");
    await cluster.kill(1);
    publisher.send(publisher.publishPacket(topic, "1", { qos: 2, retain: true }));
    await publisher.expectNothing();
    await killAll();
    await revive(0, 1);
    expect([await retainedAt(0), await retainedAt(1)]).toEqual([["1"], ["1"]]);
  });

  test("an update that only its keeper has is not undone by one who has an older one", async () => {
    const { revive, stores } = await start();
    const publisher = await come(1, "publisher");
    await publisher.publish(topic, "old", { qos: 2, retain: true });
    // The update is written down by its keeper, which dies before it has told anybody.
    stores[1]?.holdCommits();
    publisher.send(publisher.publishPacket(topic, "new", { qos: 2, retain: true }));
    await publisher.expectNothing();
    expect(await retainedAt(0)).toEqual(["old"]);
    await cluster.kill(1);
    await revive(1);
    expect([await retainedAt(0), await retainedAt(1)]).toEqual([["new"], ["new"]]);
  });

  test("who writes an update down answers for it when it is durable there, however it has heard of it", async () => {
    const { disks } = await start(3);
    const publisher = await cluster.connect(2, lasting);
    const update = publisher.publishPacket(clientIdAt(1, 3, "topic"), "1", { qos: 2, retain: true });
    await cluster.kill(1);
    publisher.send(update);
    await publisher.expectNothing();
    const slow = new FaultyStore(disks[1] as MemoryStore);
    slow.holdCommits();
    // It hears of the update from broker 0 first, which had it from the publisher's.
    await cluster.revive(1, slow);
    await publisher.expectNothing();
    slow.releaseCommits();
    await publisher.expect("pubrec", { reasonCode: 0x10 });
  });

  test("an update reaches a broker that comes back while it is on its way to who writes it down", async () => {
    const { stores, revive } = await start(3);
    const publisher = await cluster.connect(1, lasting);
    const update = publisher.publishPacket(clientIdAt(0, 3, "topic"), "1", { qos: 2, retain: true });
    await cluster.kill(2);
    stores[1]?.holdCommits();
    publisher.send(update);
    await publisher.expectNothing();
    await revive(2);
    stores[1]?.releaseCommits();
    await publisher.expect("pubrec", { reasonCode: 0x10 });
    expect(await retainedAt(2)).toEqual(["1"]);
  });

  test("one that was cleared does not come back with a broker that has not heard of it", async () => {
    const { revive, stores } = await start();
    const publisher = await come(1, "publisher");
    await publisher.publish(topic, "old", { qos: 1, retain: true });
    // The clearing is durable at its keeper, which dies before it has told anybody.
    stores[1]?.holdCommits();
    publisher.send(publisher.publishPacket(topic, "", { qos: 2, retain: true }));
    await publisher.expectNothing();
    expect(await retainedAt(0)).toEqual(["old"]);
    await cluster.kill(1);
    await revive(1);
    expect([await retainedAt(0), await retainedAt(1)]).toEqual([[], []]);
  });
});

describe("in one process", () => {
  test("a message for a session about which a plugin is asked is not lost with the process", async () => {
    const disk = new MemoryStore();
    const answers: ((verdict: boolean) => void)[] = [];
    const asked = pluginOf("slow", {
      authenticate: () => true,
      authorize: (_client, action) => action !== "receive" || new Promise((resolve) => answers.push(resolve)),
    });
    cluster = await startCluster(1, () => ({ store: disk, plugins: [asked] }));
    const subscriber = await cluster.connect(0, { clientId: "s", ...lasting });
    await subscriber.subscribe("t", { qos: 2 });
    await subscriber.cut();
    const publisher = await cluster.connect(0, { clientId: "p", ...lasting });
    const packet = publisher.publishPacket("t", "1", { qos: 2 });
    publisher.send(packet);
    await publisher.expectNothing();
    expect(disk.stats()).toMatchObject({ outbox: 1, messages: 1 });
    await cluster.kill(0);
    await cluster.revive(0, disk);
    const again = await cluster.connect(0, { clientId: "p", ...lasting });
    again.send({ ...packet, dup: true });
    await again.expect("pubrec", { reasonCode: 0 });
    const back = await cluster.connect(0, { clientId: "s", ...lasting });
    await cluster.clock.settle();
    for (const answer of answers) answer(true);
    expect(await back.messages()).toEqual(["1"]);
    expect(disk.stats().outbox).toBe(0);
  });
});
