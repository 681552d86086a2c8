import type { ClientInfo } from "@wrenmq/plugin-api";
import { MemoryStore } from "@wrenmq/store";
import { memoryPair } from "@wrenmq/transport/memory";
import { describe, expect, test } from "vitest";
import type { BrokerLimits } from "../../src/index.ts";
import { ConnectionRate } from "../../src/listeners/connection-rate.ts";
import { type BrokerFixture, type Held, held, MemoryLogger, RawClient, startBroker } from "../support.ts";

describe("limits", () => {
  test("connections: one too many is refused with 0x97, or 3 before MQTT 5; room is found again", async () => {
    const fixture = await startBroker({ limits: { maxConnections: 2 } });
    const first = await fixture.connect(5, { clientId: "1" });
    await fixture.connect(5, { clientId: "2" });
    const five = fixture.open(5);
    five.send(five.connectPacket({ clientId: "3" }));
    await five.expect("connack", { reasonCode: 0x97 });
    await five.expectClosed();
    const four = fixture.open(4);
    four.send(four.connectPacket({ clientId: "4" }));
    await four.expectHex("20 02 00 03");
    await four.expectClosed();
    await first.disconnect();
    await fixture.connect(4, { clientId: "5" });
    expect(fixture.broker.metrics()).toMatchObject({ connectionsRefused: 2, clientsConnected: 2, clientsMaximum: 2 });
    await fixture.stop();
  });

  test("[MQTT-3.1.4-3] connections: a client that takes over its own is let in, also when there is no room for another", async () => {
    for (const bound of ["broker", "listener"] as const) {
      const options = bound === "broker" ? { limits: { maxConnections: 2 } } : {};
      const maxConnections = bound === "listener" ? 2 : 0;
      const fixture = await startBroker({ listeners: { memory: { type: "external", maxConnections } }, ...options });
      const halfDead = await fixture.connect(5, { clientId: "1", cleanStart: false });
      halfDead.freeze();
      await fixture.connect(5, { clientId: "2" });
      for (const version of [4, 5] as const) {
        const again = fixture.open(version);
        again.send(again.connectPacket({ clientId: "1", cleanStart: true }));
        await again.expect("connack", { reasonCode: 0 });
        const stranger = fixture.open(5);
        stranger.send(stranger.connectPacket({ clientId: "3" }));
        await stranger.expect("connack", { reasonCode: 0x97 });
      }
      const silent = fixture.open(5);
      const third = fixture.open(5);
      third.send(third.connectPacket({ clientId: "2" }));
      await third.expect("connack", { reasonCode: 0 });
      silent.destroy();
      const nobody = fixture.open(5);
      nobody.send(nobody.connectPacket({ clientId: "" }));
      await nobody.expect("connack", { reasonCode: 0x97 });
      expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 2, connectionsRefused: 3 });
      await fixture.stop();
    }
  });

  test("connections: who was refused takes nobody's place while it reads why", async () => {
    const fixture = await startBroker({ listeners: { memory: { type: "external", maxConnections: 1 } } });
    const first = await fixture.connect(5, { clientId: "1" });
    for (let count = 0; count < 5; count++) {
      const refused = fixture.open(5);
      refused.send(refused.connectPacket({ clientId: "2" }));
      refused.freeze();
    }
    await fixture.clock.settle();
    await first.disconnect();
    await fixture.connect(5, { clientId: "3" });
    expect(fixture.broker.metrics()).toMatchObject({ connectionsRefused: 5, clientsConnected: 1 });
    await fixture.stop();
  });

  test("connections: what a client was to take over may be gone when its plugin has answered, and its room too", async () => {
    const answer = held<boolean>();
    const authenticate = ({ username }: ClientInfo): boolean | Promise<boolean> =>
      username !== "slow" || answer.promise;
    const fixture = await startBroker({
      listeners: { memory: { type: "external", maxConnections: 1 } },
      hooks: { authenticate },
    });
    const first = await fixture.connect(5, { clientId: "1" });
    const slow = fixture.open(5);
    slow.send(slow.connectPacket({ clientId: "1", username: "slow" }));
    await fixture.clock.settle();
    await first.disconnect();
    await fixture.clock.settle();
    const quick = fixture.open(5);
    quick.send(quick.connectPacket({ clientId: "2" }));
    await quick.expect("connack", { reasonCode: 0x97 });
    answer.keep(true);
    await slow.expect("connack", { reasonCode: 0 });
    await fixture.stop();
  });

  test("connections per second from one address", async () => {
    const fixture = await startBroker({ limits: { connectionRate: 3 } });
    const dial = (remoteAddress: string): RawClient => {
      const [near, far] = memoryPair({ schedule: fixture.clock.schedule, serverInfo: { remoteAddress } });
      fixture.broker.accept(far, { listener: "memory" });
      return new RawClient(near, 5, fixture.pace);
    };
    const clients = Array.from({ length: 5 }, () => dial("10.0.0.1"));
    const other = dial("10.0.0.2");
    await fixture.clock.settle();
    expect(clients.map(({ closed }) => closed)).toEqual([false, false, false, true, true]);
    expect(other.closed).toBe(false);
    expect(fixture.broker.metrics()).toMatchObject({ connectionsAccepted: 4, connectionsRefused: 2 });
    await fixture.clock.advance(400);
    const later = [dial("10.0.0.1"), dial("10.0.0.1")];
    await fixture.clock.settle();
    expect(later.map(({ closed }) => closed)).toEqual([false, true]);
    fixture.broker.setLimits({ connectionRate: 0 });
    const unlimited = Array.from({ length: 20 }, () => dial("10.0.0.1"));
    await fixture.clock.settle();
    expect(unlimited.some(({ closed }) => closed)).toBe(false);
    await fixture.stop();
  });

  test("addresses are forgotten when they have been quiet", () => {
    const rate = new ConnectionRate(2);
    for (let number = 0; number < 1_000; number++) rate.admits(`10.0.${number >> 8}.${number & 255}`, number);
    expect(rate.size).toBe(1_000);
    expect(rate.admits("10.1.1.1", 10_000)).toBe(true);
    expect(rate.size).toBe(1);
    // A clock that goes back gives nothing and takes nothing.
    expect([rate.admits("10.1.1.1", 5_000), rate.admits("10.1.1.1", 5_000)]).toEqual([true, false]);
  });

  test("connect timeout: who says nothing, and who says it byte by byte", async () => {
    const fixture = await startBroker({ limits: { connectTimeout: 2_000 } });
    const silent = fixture.open(5);
    const drip = fixture.open(5);
    const bytes = drip.encode(drip.connectPacket({ clientId: "drip" }));
    for (let at = 0; at < 15; at++) {
      drip.send(bytes.subarray(at, at + 1));
      await fixture.clock.advance(150);
    }
    expect([silent.closed, drip.closed]).toEqual([true, true]);
    expect(fixture.broker.metrics()).toMatchObject({ clientsTotal: 0, timers: expect.any(Number) });
    await fixture.stop();
  });

  test("packet size: announced, and held to with 0x95 as soon as the length is known", async () => {
    const fixture = await startBroker({ limits: { maximumPacketSize: 100 } });
    const client = await fixture.connect(5);
    expect(client.history[0]?.packet).toMatchObject({ properties: { maximumPacketSize: 100 } });
    client.send("30 ff ff ff 7f");
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x95 });
    expect(fixture.broker.metrics()).toMatchObject({ protocolErrors: 1, outputMemory: 0 });
    const before = fixture.open(5);
    before.send("10 ff ff ff 7f");
    await fixture.clock.settle();
    expect(before.closed).toBe(true);
    await fixture.stop();
  });

  test("topics: length and levels of names and of filters", async () => {
    const fixture = await startBroker({ limits: { maxTopicLength: 10, maxTopicLevels: 3 } });
    for (const topic of ["a/b/c/d", "x".repeat(11)]) {
      const client = await fixture.connect(5);
      expect((await client.subscribe(topic)).reasonCodes).toEqual([0x8f]);
      client.send(client.publishPacket(topic, "x", { qos: 1 }));
      expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x90 });
      expect(() => fixture.broker.publish(topic, "x")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
    }
    const client = await fixture.connect(5);
    expect((await client.subscribe(["a/b/c", "x".repeat(10)])).reasonCodes).toEqual([0, 0]);
    await fixture.stop();
  });

  test("subscriptions of one client: 0x97, but it may replace those that it has", async () => {
    const fixture = await startBroker({ limits: { maxSubscriptions: 2 } });
    const client = await fixture.connect(5);
    expect((await client.subscribe(["a", "b", "c", "a"], { qos: 1 })).reasonCodes).toEqual([1, 1, 0x97, 1]);
    await client.unsubscribe("a");
    expect((await client.subscribe("c")).reasonCodes).toEqual([0]);
    expect(fixture.broker.metrics()["subscriptions"]).toBe(2);
    await fixture.stop();
  });

  test("retained messages: number and bytes; what there is can be replaced and cleared", async () => {
    const fixture = await startBroker({ limits: { maxRetainedMessages: 2, maxRetainedBytes: 12 } });
    const dropped: string[] = [];
    fixture.broker.on("dropped", (clientId, { topic }, reason) => void dropped.push(`${clientId} ${topic} ${reason}`));
    const client = await fixture.connect(5, { clientId: "c" });
    const retain = (topic: string, payload: string) => client.publish(topic, payload, { qos: 1, retain: true });
    expect(await retain("a", "12345")).toBe(0x10);
    expect(await retain("b", "123456")).toBe(0x97);
    expect(await retain("b", "12345")).toBe(0x10);
    expect(await retain("c", "")).toBe(0x10);
    expect(await retain("d", "1")).toBe(0x97);
    expect(await retain("a", "1")).toBe(0x10);
    expect(await retain("b", "")).toBe(0x10);
    expect(await retain("d", "1")).toBe(0x10);
    expect(dropped).toEqual(["c b storeFull", "c d storeFull"]);
    expect(fixture.broker.metrics()).toMatchObject({ retained: 2, retainedBytes: 4, droppedStoreFull: 2 });
    await fixture.stop();
  });

  test("messages of nothing but a topic or user properties count with what they take", async () => {
    const fixture = await startBroker({ limits: { maxRetainedBytes: 2_000, maxQueuedBytes: 20_000 } });
    const client = await fixture.connect(5, { clientId: "c" });
    const userProperties = Array.from({ length: 100 }, () => ["", ""] as const);
    const heavy = { qos: 1, properties: { userProperties } } as const;
    expect(await client.publish("t", "1", { ...heavy, retain: true })).toBe(0x97);
    expect(await client.publish("t".repeat(2_000), "1", { qos: 1, retain: true })).toBe(0x97);
    expect(fixture.broker.metrics()).toMatchObject({ retained: 0, retainedBytes: 0, droppedStoreFull: 2 });
    const away = await fixture.connect(5, { clientId: "away", properties: { sessionExpiryInterval: 60 } });
    await away.subscribe("t", { qos: 1 });
    await away.cut();
    for (let number = 0; number < 10; number++) await client.publish("t", "", heavy);
    expect(fixture.broker.session("away")?.queued).toBe(4);
    expect(fixture.broker.metrics()).toMatchObject({ droppedQueueFull: 6 });
    await fixture.stop();
  });
});

describe("sessions that outlive their connections", () => {
  const lasting = { sessionExpiryInterval: 60 };
  const comeBack = { cleanStart: false, properties: lasting };
  /** Some that are not connected. */
  async function away({ connect }: BrokerFixture, ...clientIds: string[]): Promise<void> {
    for (const clientId of clientIds) await (await connect(5, { clientId, properties: lasting })).cut();
  }
  async function refused({ open }: BrokerFixture, clientId: string): Promise<void> {
    const client = open(5);
    client.send(client.connectPacket({ clientId, ...comeBack }));
    await client.expect("connack", { reasonCode: 0x97, sessionPresent: false });
    await client.expectClosed();
  }

  test("one too many is refused with 0x97, or 3 before MQTT 5, counted and logged; who needs no more room is served", async () => {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ limits: { maxSessions: 2 }, logger });
    await away(fixture, "1", "2");
    await refused(fixture, "3");
    const four = fixture.open(4);
    four.send(four.connectPacket({ clientId: "4", cleanStart: false }));
    await four.expectHex("20 02 00 03");
    await four.expectClosed();
    expect(fixture.broker.metrics()).toMatchObject({ connectionsRefused: 2, sessionsLasting: 2, clientsTotal: 2 });
    const rules = logger.lines.filter(({ message }) => message === "client refused").map(({ fields }) => fields);
    expect(rules).toMatchObject([
      { clientId: "3", reasonCode: 0x97, rule: "maximum sessions" },
      { clientId: "4", reasonCode: 0x88, rule: "maximum sessions" },
    ]);
    // Ends with its connection; resumed; taken over; begun anew.
    await fixture.connect(5, { clientId: "passing" });
    await fixture.connect(4, { clientId: "passing too" });
    const resumed = await fixture.connect(5, { clientId: "1", ...comeBack });
    const next = await fixture.connect(4, { clientId: "1", cleanStart: false });
    await resumed.expect("disconnect", { reasonCode: 0x8e });
    await next.expectAlive();
    await fixture.connect(5, { clientId: "2", cleanStart: true, properties: lasting });
    expect(fixture.broker.metrics()).toMatchObject({ connectionsRefused: 2, sessionsLasting: 2, clientsTotal: 4 });
    await fixture.stop();
  });

  test("there is room again when one has expired, was ended, or will end with its connection", async () => {
    const fixture = await startBroker({ limits: { maxSessions: 1 } });
    await away(fixture, "expires");
    await refused(fixture, "next");
    await fixture.clock.advance(60_000);
    const leaving = await fixture.connect(5, { clientId: "leaves", properties: lasting });
    await refused(fixture, "next");
    leaving.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
    await fixture.clock.settle();
    await away(fixture, "removed");
    await refused(fixture, "next");
    fixture.broker.removeSession("removed");
    await away(fixture, "resumed");
    await refused(fixture, "next");
    await fixture.connect(5, { clientId: "resumed", cleanStart: false });
    await away(fixture, "next");
    expect(fixture.broker.metrics()).toMatchObject({ connectionsRefused: 4, sessionsLasting: 1 });
    await fixture.stop();
  });

  test("one that would end with its connection does not come to last over the limit, and keeps its connection", async () => {
    const fixture = await startBroker({ limits: { maxSessions: 1 } });
    await away(fixture, "1");
    const passing = await fixture.connect(5, { clientId: "passing" });
    await refused(fixture, "passing");
    await passing.expectAlive();
    fixture.broker.setLimits({ maxSessions: 0 });
    await away(fixture, "passing", "3");
    expect(fixture.broker.metrics()["sessionsLasting"]).toBe(3);
    await fixture.stop();
  });

  test("all that the store has come back, even if they are too many; those made by the program are always there", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    await away(first, "1", "2", "3");
    await first.stop();
    const second = await startBroker({ store, limits: { maxSessions: 2 } });
    second.broker.subscribe("4", "t");
    expect(second.broker.metrics()).toMatchObject({ clientsTotal: 4, sessionsLasting: 4 });
    await refused(second, "5");
    await (await second.connect(5, { clientId: "1", ...comeBack })).expectAlive();
    for (const clientId of ["1", "2"]) second.broker.removeSession(clientId);
    await refused(second, "5");
    second.broker.removeSession("3");
    await away(second, "5");
    await second.stop();
  });
});

describe("clients that a plugin thinks about at the same time", () => {
  async function pendingAuthorization(limits: Partial<BrokerLimits>) {
    const questions: { readonly clientId: string; readonly answer: Held<boolean> }[] = [];
    const authenticate = ({ clientId }: ClientInfo): Promise<boolean> => {
      const answer = held<boolean>();
      questions.push({ clientId, answer });
      return answer.promise;
    };
    const fixture = await startBroker({ limits, hooks: { authenticate } });
    const properties = { sessionExpiryInterval: 60 };
    const ask = (...clientIds: string[]): RawClient[] =>
      clientIds.map((clientId) => {
        const client = fixture.open(5);
        client.send(client.connectPacket({ clientId, cleanStart: false, properties }));
        return client;
      });
    /** Those asked about last are let in first. */
    const answer = async (count: number): Promise<void> => {
      await fixture.clock.settle();
      for (let left = count; left > 0; left--) questions.pop()?.answer.keep(true);
      await fixture.clock.settle();
    };
    return { ...fixture, ask, answer };
  }
  const codes = (clients: readonly RawClient[]): unknown[] =>
    clients.map(({ history: [first] }) => first && "reasonCode" in first.packet && first.packet.reasonCode);

  test.each(["maxSessions", "maxConnections"] as const)("no more get in than %s", async (name) => {
    const { broker, ask, answer, stop } = await pendingAuthorization({ [name]: 2 });
    const clients = ask("1", "2", "3", "4");
    await answer(4);
    expect(codes(clients)).toEqual([0x97, 0x97, 0, 0]);
    expect(broker.metrics()).toMatchObject({ connectionsRefused: 2, clientsConnected: 2, sessionsLasting: 2 });
    await stop();
  });

  test("who is there already is not one more", async () => {
    const { broker, ask, answer, stop } = await pendingAuthorization({ maxConnections: 2 });
    ask("1");
    await answer(1);
    const clients = ask("1", "2");
    await answer(2);
    expect(codes(clients)).toEqual([0, 0]);
    expect(broker.metrics()).toMatchObject({ connectionsRefused: 0, clientsConnected: 2 });
    await stop();
  });
});

describe("unread answers", () => {
  test("a transport that goes on although it was told to pause is cut off", async () => {
    const fixture = await startBroker({
      limits: { maxBuffered: 1_000, maximumPacketSize: 3_000 },
      hooks: { authorize: () => new Promise<never>(() => {}) },
    });
    const client = await fixture.connect(5);
    // All in one piece: pausing after it is of no use.
    const large = client.publishPacket("a", "x".repeat(2_500));
    client.send(client.publishPacket("a", "x", { qos: 1 }), large, large);
    expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x97 });
    await fixture.stop();
  });
});

test("a listener's limits of queues hold for the sessions whose clients came by it last, also when they are gone", async () => {
  const fixture = await startBroker({
    limits: { maxQueuedMessages: 2 },
    listeners: {
      memory: { type: "external" },
      small: { type: "external", limits: { maxQueuedMessages: 1, overflow: "drop-old" } },
      endless: { type: "external", limits: { maxQueuedMessages: 0, maxQueuedBytes: 0 } },
    },
  });
  const { broker } = fixture;
  const visit = async (clientId: string, listener: string): Promise<void> => {
    const [there, here] = memoryPair({ schedule: fixture.clock.schedule });
    broker.accept(here, { listener });
    const client = new RawClient(there, 5, fixture.pace);
    await client.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 60 } });
    await client.messages();
    await client.subscribe("q", { qos: 1 });
    await client.disconnect();
  };
  const queued = (): (number | undefined)[] => {
    for (const payload of ["1", "2", "3"]) broker.publish("q", payload, { qos: 1 });
    return ["one", "two", "three"].map((clientId) => broker.session(clientId)?.queued);
  };
  await visit("one", "memory");
  await visit("two", "small");
  await visit("three", "endless");
  expect(queued()).toEqual([2, 1, 3]);
  await visit("one", "endless");
  await visit("two", "memory");
  await visit("three", "small");
  expect(queued()).toEqual([3, 2, 1]);
  broker.updateListener("small", { limits: { maxQueuedMessages: 5 } });
  expect(queued()).toEqual([6, 2, 4]);
  await broker.removeListener("endless");
  expect(queued()).toEqual([6, 2, 5]);
  await fixture.stop();
});

describe("the limit of subscriptions", () => {
  for (const how of ["at once", "later"] as const) {
    test(`holds within one SUBSCRIBE whose filters plugins allow ${how}`, async () => {
      const asked: string[] = [];
      const fixture = await startBroker({
        limits: { maxSubscriptions: 2 },
        hooks: {
          authorize: (_client, action, topic) => {
            if (action !== "subscribe") return true;
            asked.push(topic);
            return how === "later" ? Promise.resolve(true) : true;
          },
        },
      });
      const client = await fixture.connect(5, { clientId: "c" });
      const suback = await client.subscribe(["a", "b", "c", "d", "a", "e"], { qos: 1 });
      expect(suback.reasonCodes).toEqual([1, 1, 0x97, 0x97, 1, 0x97]);
      expect([...fixture.broker.subscriptions()].length).toBe(2);
      await fixture.stop();
    });
  }

  test("plugins are not asked about all filters of one SUBSCRIBE at the same time", async () => {
    let open = 0;
    let most = 0;
    const fixture = await startBroker({
      hooks: {
        authorize: async (_client, action) => {
          if (action !== "subscribe") return true;
          open++;
          most = Math.max(most, open);
          await Promise.resolve();
          open--;
          return true;
        },
      },
    });
    const client = await fixture.connect(5, { clientId: "c" });
    const filters = Array.from({ length: 1_000 }, (_, number) => `f/${number}`);
    const { reasonCodes } = await client.subscribe(filters);
    expect(reasonCodes).toEqual(new Array(1_000).fill(0));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(17);
    expect([...fixture.broker.subscriptions()].map(({ topicFilter }) => topicFilter)).toEqual(filters);
    await fixture.stop();
  });
});
