// Brokers that act as one: whatever a client does at one of them, clients at the others see as if there were only one.
import { MemoryStore, type Store } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { afterEach, describe, expect, test } from "vitest";
import type { RawClient } from "../../../../tools/testkit/src/index.ts";
import { type ClusterFixture, clientIdAt, startCluster } from "./cluster-fixture.ts";

let cluster: ClusterFixture;
afterEach(() => cluster.stop());

describe("messages between brokers", () => {
  for (const qos of [0, 1, 2] as const) {
    for (const version of [4, 5] as const) {
      test(`QoS ${qos} reaches a subscriber of another broker (MQTT level ${version})`, async () => {
        cluster = await startCluster(3);
        const subscriber = await cluster.connect(2, { version });
        await subscriber.subscribe("a/+", { qos: 2 });
        const publisher = await cluster.connect(0, { version });
        expect(await publisher.publish("a/b", "hello", { qos })).toBe(0);
        await subscriber.take("a/b", "hello", { qos });
        await subscriber.expectNothing();
      });
    }
  }

  test("properties arrive, also at a subscriber of another version, and expiry counts on", async () => {
    cluster = await startCluster(2);
    const five = await cluster.connect(1);
    const four = await cluster.connect(1, { version: 4 });
    const near = await cluster.connect(0, { version: 4 });
    await five.subscribe("t");
    await four.subscribe("t");
    await near.subscribe("t");
    const publisher = await cluster.connect(0);
    const properties = { contentType: "text/plain", messageExpiryInterval: 60, userProperties: [["k", "v"]] as const };
    await publisher.publish("t", "x", { properties: properties as never });
    await five.take("t", "x", { properties: { contentType: "text/plain", messageExpiryInterval: 60 } });
    await four.take("t", "x");
    await near.take("t", "x");
  });

  test("the acknowledgement says whether anybody has a subscription, wherever", async () => {
    cluster = await startCluster(2);
    const publisher = await cluster.connect(0);
    expect(await publisher.publish("t", "1", { qos: 1 })).toBe(0x10);
    const subscriber = await cluster.connect(1);
    await subscriber.subscribe("t");
    expect(await publisher.publish("t", "2", { qos: 1 })).toBe(0);
    await subscriber.take("t", "2");
    await subscriber.unsubscribe("t");
    expect(await publisher.publish("t", "3", { qos: 1 })).toBe(0x10);
  });

  test("a message goes to each broker once, whatever number of filters match there", async () => {
    cluster = await startCluster(2);
    const subscriber = await cluster.connect(1);
    await subscriber.subscribe(["a/b", "a/+", "#"], { qos: 1 });
    const publisher = await cluster.connect(0);
    await publisher.publish("a/b", "once", { qos: 1 });
    await subscriber.take("a/b", "once");
    await subscriber.expectNothing();
  });

  test("the messages of one publisher keep their order, whatever their size", async () => {
    cluster = await startCluster(2);
    const subscriber = await cluster.connect(1);
    await subscriber.subscribe("t", { qos: 1 });
    const publisher = await cluster.connect(0);
    const payloads = Array.from({ length: 300 }, (_, index) => `${index}-`.padEnd((index * 379) % 5000, "x"));
    publisher.send(
      ...payloads.map((payload, index) => publisher.publishPacket("t", payload, { qos: index % 2 === 0 ? 1 : 0 })),
    );
    const received: string[] = [];
    while (received.length < payloads.length) {
      const packet = await subscriber.expect("publish");
      received.push(new TextDecoder().decode(packet.payload));
      await subscriber.acknowledge(packet);
    }
    expect(received).toEqual(payloads);
    expect(await publisher.rest()).toHaveLength(150);
  });

  for (const qos of [1, 2] as const) {
    test(`acknowledgements of many messages at once, each with its reason code, in order (QoS ${qos})`, async () => {
      cluster = await startCluster(3);
      const near = await cluster.connect(0);
      await near.subscribe("near/#", { qos: 2 });
      const far = await cluster.connect(1);
      await far.subscribe("far/#", { qos: 2 });
      const further = await cluster.connect(2);
      await further.subscribe(["far/all/#", "further"], { qos: 2 });
      const publisher = await cluster.connect(0);
      const gone = await cluster.connect(1);
      await gone.subscribe("gone");
      const topics = ["far/1", "far/1", "near/1", "nobody", "far/all/1", "further", "far/2", "gone"];
      const packets = Array.from({ length: 300 }, (_, index) =>
        publisher.publishPacket(topics[(index * 7 + ((index * index) >> 4)) % topics.length] as string, `${index}`, {
          qos,
        }),
      );
      // While its peers still believe that somebody is there.
      gone.send({ type: "unsubscribe", packetId: 99, topicFilters: ["gone"] });
      publisher.send(...packets);
      for (const packet of packets) {
        const answer = await publisher.expect(qos === 1 ? "puback" : "pubrec");
        const isForNobody = packet.topic === "nobody" || packet.topic === "gone";
        expect(answer).toMatchObject({ packetId: packet.packetId, reasonCode: isForNobody ? 0x10 : 0 });
      }
      for (const [subscriber, prefix] of [
        [near, /^near/],
        [far, /^far/],
        [further, /^far.all|^further/],
      ] as const) {
        const wanted = packets.flatMap(({ topic }, index) => (prefix.test(topic) ? [`${index}`] : []));
        expect(wanted.length).toBeGreaterThan(30);
        expect(await subscriber.messages()).toEqual(wanted);
      }
    });
  }

  test("a will goes to subscribers of other brokers", async () => {
    cluster = await startCluster(2);
    const subscriber = await cluster.connect(1);
    await subscriber.subscribe("wills/#", { qos: 1 });
    const will = { topic: "wills/a", payload: new Uint8Array([97]), qos: 1, retain: true } as const;
    const client = await cluster.connect(0, { will });
    await client.cut();
    await subscriber.take("wills/a", "a");
    const late = await cluster.connect(1);
    await late.subscribe("wills/#", { qos: 1 });
    await late.take("wills/a", "a", { retain: true });
  });

  test("who has SUBACK has a subscription at every broker", async () => {
    cluster = await startCluster(3);
    const subscriber = await cluster.connect(0);
    await subscriber.subscribe("now");
    expect(cluster.brokers[1]?.publish("now", "1")).toBe(true);
    expect(cluster.brokers[2]?.publish("now", "2")).toBe(true);
    expect((await subscriber.messages()).sort()).toEqual(["1", "2"]);
  });
});

describe("retained messages", () => {
  test("every broker has them; the last one wins, clearing clears everywhere", async () => {
    cluster = await startCluster(3);
    const publishers = [await cluster.connect(0), await cluster.connect(1), await cluster.connect(2)] as const;
    for (const [index, publisher] of publishers.entries()) {
      await publisher.publish("r", `from ${index}`, { retain: true, qos: 1 });
    }
    for (const at of [0, 1, 2]) {
      const client = await cluster.connect(at);
      await client.subscribe("r");
      await client.take("r", "from 2", { retain: true });
    }
    await publishers[1].publish("r", "", { retain: true, qos: 1 });
    for (const broker of cluster.brokers) expect([...broker.retained()]).toEqual([]);
  });

  test("set at the same time at several brokers, one of them is the last everywhere", async () => {
    cluster = await startCluster(3);
    const clients = [await cluster.connect(0), await cluster.connect(1), await cluster.connect(2)];
    for (let round = 0; round < 10; round++) {
      for (const [at, client] of clients.entries())
        client.send(client.publishPacket("r", `${round}/${at}`, { retain: true }));
    }
    await cluster.clock.settle();
    const values = cluster.brokers.map((broker) =>
      [...broker.retained("r")].map(({ payload }) => Buffer.from(payload).toString()),
    );
    expect(values[0]).toHaveLength(1);
    expect(values[1]).toEqual(values[0]);
    expect(values[2]).toEqual(values[0]);
  });

  test("each is written down by one broker; all have all after a restart", async () => {
    const stores = [new MemoryStore(), new MemoryStore()];
    cluster = await startCluster(2, (at) => ({ store: stores[at] as MemoryStore }));
    const publisher = await cluster.connect(0);
    for (let index = 0; index < 40; index++) await publisher.publish(`r/${index}`, "x", { retain: true, qos: 1 });
    const counts = stores.map((store) => store.stats().retained);
    expect(counts[0]).toBeGreaterThan(0);
    expect(counts[1]).toBeGreaterThan(0);
    expect((counts[0] as number) + (counts[1] as number)).toBe(40);
    await cluster.stop();
    cluster = await startCluster(2, (at) => ({ store: stores[at] as MemoryStore }));
    await cluster.clock.settle();
    for (const broker of cluster.brokers) expect([...broker.retained()]).toHaveLength(40);
  });
});

describe("shared subscriptions", () => {
  test("one member of the group gets each message, wherever the members are", async () => {
    cluster = await startCluster(3);
    const members = [
      await cluster.connect(0),
      await cluster.connect(1),
      await cluster.connect(1),
      await cluster.connect(2),
    ];
    for (const member of members) await member.subscribe("$share/g/work/#", { qos: 1 });
    const publisher = await cluster.connect(0);
    for (let index = 0; index < 40; index++) await publisher.publish(`work/${index}`, `${index}`, { qos: 1 });
    const taken: string[][] = [];
    for (const member of members) taken.push(await member.messages());
    expect(taken.flat().sort()).toEqual(Array.from({ length: 40 }, (_, index) => `${index}`).sort());
    for (const messages of taken) expect(messages).toHaveLength(10);
  });

  test("without members at the publisher's broker, and beside plain subscriptions", async () => {
    cluster = await startCluster(2);
    const member = await cluster.connect(1);
    await member.subscribe("$share/g/t");
    const plain = await cluster.connect(1);
    await plain.subscribe("t");
    const publisher = await cluster.connect(0);
    await publisher.publish("t", "1", { qos: 1 });
    expect(await member.messages()).toEqual(["1"]);
    expect(await plain.messages()).toEqual(["1"]);
    await member.disconnect();
    expect(await publisher.publish("t", "2", { qos: 1 })).toBe(0);
    expect(await plain.messages()).toEqual(["2"]);
  });

  test("connected members come before those that are away", async () => {
    cluster = await startCluster(2);
    const away = await cluster.connect(0, { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    await away.subscribe("$share/g/t", { qos: 1 });
    const here = await cluster.connect(1);
    await here.subscribe("$share/g/t", { qos: 1 });
    await away.cut();
    const publisher = await cluster.connect(0);
    for (let index = 0; index < 6; index++) await publisher.publish("t", `${index}`, { qos: 1 });
    expect(await here.messages()).toEqual(["0", "1", "2", "3", "4", "5"]);
  });
});

describe("connections that reach another broker than their client's", () => {
  test("are served by the home: takeover, session, messages both ways", async () => {
    cluster = await startCluster(2);
    const clientId = clientIdAt(1, 2);
    const first = cluster.open(0);
    await first.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    expect([...(cluster.brokers[1]?.clients() ?? [])].map((client) => client.clientId)).toEqual([clientId]);
    expect([...(cluster.brokers[0]?.clients() ?? [])]).toEqual([]);
    await first.subscribe("t", { qos: 1 });
    first.send(first.publishPacket("t", "own", { qos: 1 }));
    await first.take("t", "own");
    await first.expect("puback", { reasonCode: 0 });
    const second = cluster.open(1);
    const { sessionPresent } = await second.connect({
      clientId,
      cleanStart: false,
      properties: { sessionExpiryInterval: 100 },
    });
    expect(sessionPresent).toBe(true);
    expect(await first.lastWords()).toMatchObject([{ type: "disconnect", reasonCode: 0x8e }]);
    const third = cluster.open(0);
    expect((await third.connect({ clientId, cleanStart: false })).sessionPresent).toBe(true);
    expect((await second.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x8e });
    await third.disconnect();
  });

  test("large messages pass in both directions, and a client that is read slowly is slowed down", async () => {
    cluster = await startCluster(2);
    const client = cluster.open(0);
    await client.connect({ clientId: clientIdAt(1, 2) });
    await client.subscribe("big", { qos: 1 });
    const payload = new Uint8Array(3_000_000).fill(7);
    for (let index = 0; index < 3; index++) client.send(client.publishPacket("big", payload, { qos: 1 }));
    await cluster.clock.settle();
    const packets = await client.rest();
    expect(packets.filter((packet) => packet.type === "publish").map((packet) => packet.payload.length)).toEqual(
      Array.from({ length: 3 }, () => payload.length),
    );
    expect(packets.filter((packet) => packet.type === "puback")).toHaveLength(3);
  });

  test("a CONNECT that comes byte by byte, and one that is none", async () => {
    cluster = await startCluster(2);
    const client = cluster.open(0);
    for (const byte of client.encode(client.connectPacket({ clientId: clientIdAt(1, 2) }))) {
      client.send(new Uint8Array([byte]));
      await cluster.clock.settle();
    }
    await client.expect("connack", { reasonCode: 0 });
    const garbage = cluster.open(0);
    garbage.send("c0 00");
    await garbage.expectClosed();
    await client.expectAlive();
  });

  test("a client without an identifier gets one whose home it has reached", async () => {
    cluster = await startCluster(3);
    for (const at of [0, 1, 2]) {
      const client = cluster.open(at);
      await client.connect({ clientId: "" });
      expect([...(cluster.brokers[at]?.clients() ?? [])]).toHaveLength(1);
    }
  });

  test("count against the rate of connections where they are accepted, and nowhere else", async () => {
    cluster = await startCluster(2, () => ({ limits: { connectionRate: 3 } }));
    // All of one address; broker 1 serves them, whoever accepts them.
    const clients = [0, 0, 0, 0, 1, 1, 1, 1].map((at) => ({ at, client: cluster.open(at) }));
    for (const [index, { client }] of clients.entries()) {
      if (!client.closed) client.send(client.connectPacket({ clientId: clientIdAt(1, 2, `rate-${index}`) }));
    }
    await cluster.clock.settle();
    expect(clients.map(({ client }) => client.closed)).toEqual([false, false, false, true, false, false, false, true]);
    for (const { client } of clients) if (!client.closed) await client.expect("connack", { reasonCode: 0 });
    const numbers = cluster.brokers.map((broker) => broker.metrics());
    expect(numbers.map(({ connectionsAccepted }) => connectionsAccepted)).toEqual([0, 6]);
    expect(numbers.map(({ connectionsRefused }) => connectionsRefused)).toEqual([1, 1]);
  });

  test("the will of a relayed client that vanishes", async () => {
    cluster = await startCluster(2);
    const subscriber = await cluster.connect(0);
    await subscriber.subscribe("w");
    const client = cluster.open(0);
    const will = { topic: "w", payload: new Uint8Array([120]), qos: 0, retain: false } as const;
    await client.connect({ clientId: clientIdAt(1, 2), will });
    await client.cut();
    await subscriber.take("w", "x");
  });
});

describe("a broker that is lost", () => {
  test("without a store: the others go on at once, and it comes back empty", async () => {
    cluster = await startCluster(3);
    const here = await cluster.connect(0);
    await here.subscribe("t", { qos: 1 });
    const there = await cluster.connect(1);
    await there.subscribe("t", { qos: 1 });
    const publisher = await cluster.connect(2);
    await cluster.kill(1);
    expect(await publisher.publish("t", "1", { qos: 1 })).toBe(0);
    await here.take("t", "1");
    await cluster.revive(1);
    const back = await cluster.connect(1);
    await back.subscribe("t", { qos: 1 });
    await publisher.publish("t", "2", { qos: 1 });
    await back.take("t", "2");
    await here.take("t", "2");
  });

  test("it gets the retained messages of all when it is back", async () => {
    cluster = await startCluster(3);
    const publisher = await cluster.connect(0);
    for (let index = 0; index < 30; index++) await publisher.publish(`r/${index}`, "x", { retain: true, qos: 1 });
    await cluster.kill(1);
    await publisher.publish("r/0", "", { retain: true, qos: 1 });
    await publisher.publish("r/1", "changed", { retain: true, qos: 1 });
    await cluster.revive(1);
    const topics = [...(cluster.brokers[1]?.retained() ?? [])].map(({ topic }) => topic).sort();
    expect(topics).toEqual(Array.from({ length: 29 }, (_, index) => `r/${index + 1}`).sort());
  });

  test("with a store: messages for its durable sessions wait, and so do their acknowledgements", async () => {
    const stores = [new MemoryStore(), new MemoryStore()];
    cluster = await startCluster(2, (at) => ({ store: stores[at] as MemoryStore }));
    const clientId = clientIdAt(1, 2, "durable");
    const subscriber = cluster.open(1);
    await subscriber.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 1000 } });
    await subscriber.subscribe("t", { qos: 1 });
    const publisher = await cluster.connect(0);
    await publisher.publish("t", "1", { qos: 1 });
    await cluster.kill(1);
    publisher.send(publisher.publishPacket("t", "2", { qos: 1 }));
    await publisher.expectNothing();
    await cluster.revive(1, stores[1] as MemoryStore);
    await publisher.expect("puback", { reasonCode: 0 });
    const again = cluster.open(0);
    await again.connect({ clientId, cleanStart: false });
    expect(await again.messages()).toEqual(["1", "2"]);
  });

  test("a publisher hears of a refusal when the broker goes before it has answered", async () => {
    const stores = [new MemoryStore(), new MemoryStore()];
    cluster = await startCluster(2, (at) => ({ store: stores[at] as MemoryStore }));
    const subscriber = cluster.open(1);
    await subscriber.connect({ clientId: clientIdAt(1, 2), properties: { sessionExpiryInterval: 1000 } });
    await subscriber.subscribe("t", { qos: 1 });
    const publisher = await cluster.connect(0);
    publisher.send(publisher.publishPacket("t", "1", { qos: 1 }));
    await cluster.kill(1);
    const [answer] = await publisher.rest();
    expect(answer).toMatchObject({ type: "puback" });
  });
});

describe("a message that a broker cannot take", () => {
  const far = clientIdAt(1, 2, "far");

  /** Broker 0 has a witness; broker 1 a durable session that is away. */
  async function start(
    stores: readonly Store[],
  ): Promise<{ readonly witness: RawClient; readonly publisher: RawClient }> {
    const limits = { maximumPacketSize: 32 * 1024 * 1024 };
    cluster = await startCluster(2, (at) => ({ store: stores[at] as Store, limits }));
    const witness = await cluster.connect(0);
    await witness.subscribe("t", { qos: 2 });
    const durable = cluster.open(1);
    await durable.connect({ clientId: far, cleanStart: false, properties: { sessionExpiryInterval: 1000 } });
    await durable.subscribe("t", { qos: 2 });
    await durable.cut();
    return { witness, publisher: await cluster.connect(0) };
  }

  async function heardFar(): Promise<string[]> {
    const again = cluster.open(0);
    await again.connect({ clientId: far, cleanStart: false });
    return again.messages();
  }

  test("at QoS 1 is refused while its store is, and may come twice to those at other brokers", async () => {
    const faulty = new FaultyStore(new MemoryStore());
    const { witness, publisher } = await start([new MemoryStore(), faulty]);
    faulty.failNext(3);
    expect(await publisher.publish("t", "1", { qos: 1 })).toBe(0x97);
    expect(await publisher.publish("t", "2", { qos: 1 })).toBe(0x97);
    await cluster.clock.advance(2_000);
    expect(await publisher.publish("t", "2", { qos: 1 })).toBe(0);
    expect(await witness.messages()).toEqual(["1", "2", "2"]);
    // What was refused because its commit failed may arrive.
    expect((await heardFar()).filter((payload) => payload !== "1")).toEqual(["2"]);
  });

  test("at QoS 2 is answered when its store takes it, and comes once to everybody", async () => {
    const faulty = new FaultyStore(new MemoryStore());
    const { witness, publisher } = await start([new MemoryStore(), faulty]);
    faulty.failNext(3);
    const packets = ["1", "2", "3"].map((payload) => publisher.publishPacket("t", payload, { qos: 2 }));
    for (const packet of packets) {
      publisher.send(packet);
      await publisher.expectNothing();
    }
    await cluster.clock.advance(2_000);
    for (const { packetId } of packets) await publisher.expect("pubrec", { packetId, reasonCode: 0 });
    expect(await witness.messages()).toEqual(["1", "2", "3"]);
    expect(await heardFar()).toEqual(["1", "2", "3"]);
  });

  test("because it is away, and no more can be held for it: nobody gets it", async () => {
    const stores = [new MemoryStore(), new MemoryStore()];
    const { witness, publisher } = await start(stores);
    await cluster.kill(1);
    const large = new Uint8Array(16 * 1024 * 1024);
    for (let held = 0; held < 3; held++) publisher.send(publisher.publishPacket("t", large, { qos: 2 }));
    await publisher.expectNothing();
    await witness.rest();
    expect(await (await cluster.connect(0)).publish("t", large, { qos: 2 })).toBe(0x97);
    await witness.expectNothing();
    await cluster.revive(1, stores[1]);
    expect((await publisher.rest()).map(({ type }) => type)).toEqual(["pubrec", "pubrec", "pubrec"]);
    expect(await heardFar()).toHaveLength(3);
  });

  test("nobody knows whether it took it when it dies before it has answered: sent again, it comes again", async () => {
    const inner = new MemoryStore();
    const store = new FaultyStore(inner);
    const { witness, publisher } = await start([new MemoryStore(), store]);
    store.holdCommits();
    publisher.send(publisher.publishPacket("t", "1", { qos: 2 }));
    await publisher.expectNothing();
    await cluster.kill(1);
    await publisher.expect("pubrec", { reasonCode: 0x97 });
    await cluster.revive(1, inner);
    expect(await publisher.publish("t", "1", { qos: 2 })).toBe(0);
    expect(await witness.messages()).toEqual(["1", "1"]);
    expect(await heardFar()).toEqual(["1", "1"]);
  });
});

describe("numbers", () => {
  test("$SYS tells of all brokers, and one broker tells", async () => {
    cluster = await startCluster(2, () => ({ sys: { intervalSeconds: 10, names: "amqtt" } }));
    const clients = [await cluster.connect(0), await cluster.connect(1), await cluster.connect(1)];
    await cluster.clock.advance(21_000);
    for (const client of clients) {
      await client.subscribe("$SYS/broker/clients/connected");
      await client.take("$SYS/broker/clients/connected", "3");
    }
  });
});
