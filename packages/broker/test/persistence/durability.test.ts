import { MemoryStore, StoreError } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { describe, expect, test } from "vitest";
import {
  type BrokerFixture,
  type FixtureOptions,
  MemoryLogger,
  packets,
  type RawClient,
  startBroker,
  text,
} from "../support.ts";

const lasting = { sessionExpiryInterval: 3_600 };
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

/** What a process that dies leaves behind: the store as it is, without a word from the broker. */
async function crash(store: MemoryStore, options: FixtureOptions = {}): Promise<BrokerFixture> {
  return startBroker({ ...options, store });
}

async function reconnect(fixture: BrokerFixture, clientId: string, properties = {}): Promise<RawClient> {
  const client = fixture.open(5);
  client.send(client.connectPacket({ clientId, cleanStart: false, properties: { ...lasting, ...properties } }));
  await client.expect("connack", { reasonCode: 0, sessionPresent: true });
  return client;
}

async function durableSubscriber(fixture: BrokerFixture, clientId = "sub", qos: 1 | 2 = 1): Promise<RawClient> {
  const client = await fixture.connect(5, { clientId, properties: lasting });
  await client.subscribe("q", { qos });
  return client;
}

describe("across restarts", () => {
  test("sessions, subscriptions and retained messages are there again", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    const client = await first.connect(5, { clientId: "c", properties: lasting });
    await client.subscribe("a/+", { qos: 1, noLocal: true, subscriptionIdentifier: 7 });
    await client.subscribe(["$share/g/b", "gone"], { qos: 2 });
    await client.unsubscribe("gone");
    first.broker.publish("kept", "1", { retain: true, qos: 1, properties: { contentType: "t" } });
    first.broker.publish("cleared", "1", { retain: true });
    first.broker.publish("cleared", "", { retain: true });
    first.broker.publish("$SYS/x", "1", { retain: true });
    const four = await first.connect(4, { clientId: "four", cleanStart: false });
    await four.subscribe("v3");
    await first.connect(5, { clientId: "passing" });
    await first.stop();

    const second = await startBroker({ store });
    expect([...second.broker.sessions()].map(({ clientId }) => clientId).sort()).toEqual(["c", "four"]);
    expect([...second.broker.retained()].map(({ topic, payload }) => [topic, text(payload)])).toEqual([["kept", "1"]]);
    const again = await reconnect(second, "c");
    await again.publish("a/x", "own");
    second.broker.publish("a/x", "1", { qos: 1 });
    second.broker.publish("b", "2", { qos: 2 });
    await again.take("a/x", "1", { properties: { subscriptionIdentifiers: [7] } });
    await again.take("b", "2", { qos: 2 });
    await again.expectNothing();
    await second.stop();
  });

  test("a queue that is longer than a page comes back whole and in order, over several restarts", async () => {
    const store = new MemoryStore();
    let fixture = await startBroker({ store });
    await (await durableSubscriber(fixture)).cut();
    for (let number = 0; number < 2_500; number++) fixture.broker.publish("q", String(number), { qos: 1 });
    expect(fixture.broker.session("sub")?.queued).toBe(2_500);
    await fixture.stop();
    const got: string[] = [];
    for (let run = 0; run < 3; run++) {
      fixture = await crash(store);
      const { queued, inflight } = fixture.broker.session("sub") ?? { queued: 0, inflight: 0 };
      expect(queued + inflight).toBe(2_500 - got.length);
      const client = await reconnect(fixture, "sub", { receiveMaximum: 10 });
      const upTo = run === 2 ? 2_500 : got.length + 700;
      while (got.length < upTo) {
        const packet = await client.expect("publish", { qos: 1 });
        got.push(text(packet.payload));
        client.send({ type: "puback", packetId: packet.packetId as number, reasonCode: 0 });
      }
      if (run < 2) {
        await fixture.clock.settle();
        await client.cut();
        // What was in flight comes again.
        await fixture.stop();
      } else {
        await client.expectNothing();
        await fixture.stop();
      }
    }
    expect(got).toEqual(numbers(0, 2_500));
    expect(store.stats()).toMatchObject({ messages: 0 });
  });

  test("what was in flight comes again: DUP, same identifiers, in order", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    const sub = await durableSubscriber(first, "sub", 2);
    for (const [payload, qos] of [
      ["a", 1],
      ["b", 2],
      ["c", 1],
      ["d", 2],
    ] as const) {
      first.broker.publish("q", payload, { qos });
    }
    const sent = (await sub.rest()).flatMap((packet) => (packet.type === "publish" ? [packet] : []));
    sub.send({ type: "puback", packetId: sent[2]?.packetId as number, reasonCode: 0 });
    sub.send({ type: "pubrec", packetId: sent[1]?.packetId as number, reasonCode: 0 });
    await sub.expect("pubrel");
    // The process dies here.
    const second = await crash(store);
    const again = await reconnect(second, "sub");
    expect((await again.rest()).map((packet) => ({ ...packet, payload: undefined }))).toMatchObject([
      { type: "pubrel", packetId: sent[1]?.packetId },
      { type: "publish", packetId: sent[0]?.packetId, dup: true, qos: 1 },
      { type: "publish", packetId: sent[3]?.packetId, dup: true, qos: 2 },
    ]);
    second.broker.publish("q", "e", { qos: 1 });
    const next = await again.expect("publish", { dup: false });
    expect(sent.map(({ packetId }) => packetId)).not.toContain(next.packetId);
    await second.stop();
    await first.stop();
  });

  test("a QoS 2 message that was taken before the crash is not taken again", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    await durableSubscriber(first, "sub", 2);
    const pub = await first.connect(5, { clientId: "pub", properties: lasting });
    pub.send(pub.publishPacket("q", "once", { qos: 2, packetId: 77 }));
    await pub.expect("pubrec", { packetId: 77 });
    const second = await crash(store);
    const again = await reconnect(second, "pub");
    again.send(again.publishPacket("q", "once", { qos: 2, packetId: 77, dup: true }));
    await again.expect("pubrec", { packetId: 77, reasonCode: 0 });
    again.send({ type: "pubrel", packetId: 77, reasonCode: 0 });
    await again.expect("pubcomp", { packetId: 77, reasonCode: 0 });
    const sub = await reconnect(second, "sub");
    expect(await sub.messages()).toEqual(["once"]);
    const third = await crash(store);
    // The exchange is over: its identifier is free for another message.
    const last = await reconnect(third, "pub");
    await last.publish("q", "another", { qos: 2, packetId: 77 });
    expect(await (await reconnect(third, "sub")).messages()).toContain("another");
    for (const fixture of [third, second, first]) await fixture.stop();
  });

  test("expiry runs on by wall clock: sessions, queued and retained messages", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    for (const [clientId, sessionExpiryInterval] of [
      ["short", 10],
      ["long", 100],
    ] as const) {
      const client = await first.connect(5, { clientId, properties: { sessionExpiryInterval } });
      await client.subscribe("q", { qos: 1 });
      await client.cut();
    }
    const expiring = { messageExpiryInterval: 20 };
    first.broker.publish("q", "expires", { qos: 1, retain: true, properties: expiring });
    first.broker.publish("q", "stays", { qos: 1 });
    first.broker.publish("kept", "stays", { retain: true, properties: { messageExpiryInterval: 90 } });
    await first.stop();
    const second = await startBroker({ store });
    // The new clock begins where the old one did: 30 seconds pass before anybody comes.
    await second.clock.advance(30_000);
    expect([...second.broker.sessions()].map(({ clientId }) => clientId)).toEqual(["long"]);
    const client = await reconnect(second, "long");
    expect(await client.messages()).toEqual(["stays"]);
    await client.subscribe("#");
    const retained = await client.expect("publish", { topic: "kept", retain: true });
    expect(retained.properties?.messageExpiryInterval).toBe(60);
    await client.expectNothing();
    await second.stop();
  });

  test("wills: those that waited go on waiting, those of clients connected at the crash go out", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    const will = (topic: string, willDelayInterval: number) =>
      ({
        topic,
        payload: new TextEncoder().encode(topic),
        qos: 1,
        retain: false,
        properties: { willDelayInterval },
      }) as const;
    const watcher = await first.connect(5, { clientId: "watcher", properties: lasting });
    await watcher.subscribe("#", { qos: 1 });
    await watcher.cut();
    const waiting = await first.connect(5, { clientId: "waiting", properties: lasting, will: will("waited", 60) });
    await waiting.cut();
    await first.clock.advance(20_000);
    await first.connect(5, { clientId: "delayed", properties: lasting, will: will("delayed", 30) });
    await first.connect(5, { clientId: "volatile", will: will("at once", 30) });
    await first.connect(4, { clientId: "four", cleanStart: true, will: { ...will("four", 0), properties: {} } });
    const said = await first.connect(5, { clientId: "said", properties: lasting, will: will("never", 0) });
    await said.disconnect();
    const before = new Date(first.clock.now());
    // The process dies here, and comes back ten seconds later.
    const second = await crash(store);
    await second.clock.advance(before.getTime() + 10_000 - second.clock.now());
    const again = await reconnect(second, "watcher");
    const now = (await again.rest()).flatMap((packet) => (packet.type === "publish" ? [packet] : []));
    for (const packet of now) await again.acknowledge(packet);
    expect(now.map(({ topic }) => topic).sort()).toEqual(["at once", "delayed", "four"]);
    await second.clock.advance(31_000);
    await again.take("waited", "waited");
    await again.expectNothing();
    await second.stop();
    await first.stop();
  });

  test("a session resumed to end with its connection still gives out all of its queue", async () => {
    const store = new MemoryStore();
    const fixture = await startBroker({ store });
    await (await durableSubscriber(fixture)).cut();
    for (let number = 0; number < 1_500; number++) fixture.broker.publish("q", String(number), { qos: 1 });
    const client = fixture.open(5);
    client.send(client.connectPacket({ clientId: "sub", cleanStart: false, properties: { receiveMaximum: 5 } }));
    await client.expect("connack", { sessionPresent: true });
    const got: string[] = [];
    while (got.length < 1_500) {
      const packet = await client.expect("publish");
      got.push(text(packet.payload));
      await client.acknowledge(packet);
    }
    expect(got).toEqual(numbers(0, 1_500));
    await client.cut();
    expect(store.stats()).toMatchObject({ sessions: 0, messages: 0 });
    await fixture.stop();
  });

  test("drop-old and expiry in a queue that continues in the store", async () => {
    const store = new MemoryStore();
    const fixture = await startBroker({ store, limits: { overflow: "drop-old", maxQueuedMessages: 1_200 } });
    await (await durableSubscriber(fixture)).cut();
    for (let number = 0; number < 1_500; number++) {
      const properties = number % 2 === 0 ? { messageExpiryInterval: 10 } : {};
      fixture.broker.publish("q", String(number), { qos: 1, properties });
    }
    await fixture.clock.settle();
    expect(fixture.broker.metrics()).toMatchObject({ queued: 1_200, droppedQueueFull: 300 });
    await fixture.clock.advance(11_000);
    const client = await reconnect(fixture, "sub");
    const got: string[] = [];
    for (const packet of await client.rest()) if (packet.type === "publish") got.push(text(packet.payload));
    expect(got).toEqual(numbers(300, 1_500).filter((number) => Number(number) % 2 === 1));
    expect(fixture.broker.metrics()).toMatchObject({ queued: 0, droppedExpired: 600 });
    await fixture.stop();
  });

  test("message numbers are not given twice when the clock goes back between two runs", async () => {
    const store = new MemoryStore();
    const first = await startBroker({ store });
    await first.clock.advance(86_400_000);
    await (await durableSubscriber(first)).cut();
    first.broker.publish("q", "first", { qos: 1 });
    await first.clock.settle();
    const second = await crash(store);
    second.broker.publish("q", "second", { qos: 1 });
    await second.clock.settle();
    const third = await crash(store);
    const client = await reconnect(third, "sub");
    expect(await client.messages()).toEqual(["first", "second"]);
    for (const fixture of [third, second, first]) await fixture.stop();
  });
});

describe("a store that takes its time", () => {
  test("nothing that tells of what is not durable leaves early; the order holds", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store });
    const sub = await durableSubscriber(fixture, "sub", 2);
    const pub = await fixture.connect(5, { clientId: "pub", properties: lasting });
    await fixture.clock.settle();
    store.holdCommits();
    pub.send(pub.publishPacket("q", "1", { qos: 1 }));
    await fixture.clock.settle();
    pub.send(pub.publishPacket("q", "2", { qos: 2 }));
    await fixture.clock.settle();
    pub.send("82 07 00 63 00 00 01 'x' 01");
    const fresh = fixture.open(5);
    fresh.send(fresh.connectPacket({ clientId: "fresh", properties: lasting }), { type: "pingreq" });
    await fixture.clock.settle();
    expect([packets(pub.unread), packets(sub.unread), packets(fresh.unread)]).toEqual([[], [], []]);
    store.releaseCommits(1);
    await fixture.clock.settle();
    expect([packets(pub.unread), packets(sub.unread)]).toEqual([[], []]);
    store.releaseCommits();
    await fixture.clock.settle();
    expect(packets(pub.unread)).toEqual(["suback", "puback", "pubrec"]);
    expect(await sub.messages()).toEqual(["1", "2"]);
    expect(packets(fresh.unread)).toEqual(["connack", "pingresp"]);
    await fixture.stop();
  });

  test("1,024 QoS 2 messages may be in flight, as was announced, though none is acknowledged yet", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store });
    await durableSubscriber(fixture, "sub", 2);
    const pub = await fixture.connect(5, { clientId: "pub" });
    await fixture.clock.settle();
    store.holdCommits();
    for (let number = 0; number < 1_024; number++) pub.send(pub.publishPacket("q", "x", { qos: 2 }));
    await fixture.clock.settle();
    expect(pub.closed).toBe(false);
    store.releaseCommits();
    await fixture.clock.settle();
    expect(pub.unread.length).toBe(1_024);
    pub.send(pub.publishPacket("q", "x", { qos: 2 }));
    expect((await pub.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x93 });
    await fixture.stop();
  });

  test("QoS 0 to a client whose answers wait is bounded and counted", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store, limits: { highWater: 10_000 } });
    const sub = await durableSubscriber(fixture);
    await fixture.clock.settle();
    store.holdCommits();
    fixture.broker.publish("q", "held", { qos: 1 });
    await fixture.clock.settle();
    for (let number = 0; number < 100; number++) fixture.broker.publish("q", "x".repeat(1_000));
    for (let number = 0; number < 5; number++) fixture.broker.publish("q", String(number), { qos: 1 });
    expect(fixture.broker.metrics()["droppedBlocked"]).toBeGreaterThan(80);
    expect(fixture.broker.session("sub")?.queued).toBe(5);
    store.releaseCommits();
    await fixture.clock.settle();
    const got = (await sub.messages()).filter((payload) => payload.length < 10);
    expect(got).toEqual(["held", "0", "1", "2", "3", "4"]);
    await fixture.stop();
  });

  test("shutdown waits for what is under way", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store });
    await durableSubscriber(fixture);
    await fixture.clock.settle();
    store.holdCommits();
    fixture.broker.publish("q", "1", { qos: 1 });
    const stopping = fixture.stop();
    while (fixture.broker.state !== "stopped") {
      await fixture.clock.settle();
      if (store.heldCommits > 1) store.releaseCommits();
    }
    await stopping;
    expect(store.stats()).toMatchObject({ sessions: 1, messages: 1 });
  });
});

describe("a store that refuses", () => {
  for (const rejects of [false, true]) {
    test(`publishers are told 0x97, nothing acknowledged is lost, and it recovers (${rejects ? "rejects" : "throws"})`, async () => {
      const inner = new MemoryStore();
      const store = new FaultyStore(inner);
      const logger = new MemoryLogger();
      const fixture = await startBroker({ store, logger });
      await (await durableSubscriber(fixture)).cut();
      const five = await fixture.connect(5, { clientId: "five" });
      const four = await fixture.connect(4, { clientId: "four" });
      await fixture.clock.settle();
      expect(await five.publish("q", "good", { qos: 1 })).toBe(0);
      store.failNext(3, { rejects });
      expect(await five.publish("q", "failed", { qos: 1 })).toBe(0x97);
      expect(await five.publish("q", "refused", { qos: 1 })).toBe(0x97);
      expect(await five.publish("q", "refused", { qos: 2 })).toBe(0x97);
      five.send(five.publishPacket("other", "qos 0 goes on"));
      four.send(four.publishPacket("q", "four", { qos: 1 }));
      await four.expectClosed();
      expect(fixture.broker.metrics()).toMatchObject({ droppedStoreFull: 3 });
      await fixture.clock.advance(500);
      expect(await five.publish("q", "still", { qos: 1 })).toBe(0x97);
      await fixture.clock.advance(1_000);
      expect(await five.publish("q", "again", { qos: 1 })).toBe(0);
      expect(logger.errors).toEqual(["the store refuses to write; publishes are refused"]);
      expect(logger.lines.map(({ message }) => message)).toContain("the store writes again");
      // What was refused because its commit failed may arrive; what was acknowledged has to.
      const second = await crash(inner);
      const got = await (await reconnect(second, "sub")).messages();
      expect(got.filter((payload) => payload !== "failed")).toEqual(["good", "again"]);
      await second.stop();
      await fixture.stop();
    });
  }

  test("in the turn in which the room runs out QoS 1 is told so and comes; QoS 2 is answered when it is stored, and comes once", async () => {
    const inner = new MemoryStore();
    const store = new FaultyStore(inner);
    const fixture = await startBroker({ store });
    await (await durableSubscriber(fixture, "sub", 2)).cut();
    const publisher = await fixture.connect(5, { clientId: "p" });
    await fixture.clock.settle();
    store.failNext(2);
    const first = publisher.publishPacket("q", "first", { qos: 1 });
    const second = publisher.publishPacket("q", "second", { qos: 2 });
    publisher.send(first, second);
    await publisher.expect("puback", { packetId: first.packetId as number, reasonCode: 0x97 });
    await publisher.expectNothing();
    // A publisher that loses patience sends it again; it was taken and is not taken twice.
    publisher.send({ ...second, dup: true });
    await fixture.clock.advance(1_500);
    await publisher.expect("pubrec", { packetId: second.packetId as number, reasonCode: 0 });
    const later = await crash(inner);
    const sub = await reconnect(later, "sub");
    expect(await sub.messages()).toEqual(["first", "second"]);
    await later.stop();
    await fixture.stop();
  });

  test("facts stay in order: those under way behind a refused batch, and those that come during a retry", async () => {
    const inner = new MemoryStore();
    const store = new FaultyStore(inner);
    const fixture = await startBroker({ store });
    const client = await fixture.connect(5, { clientId: "c", properties: lasting });
    await fixture.clock.settle();
    store.holdCommits();
    // Under way, to be refused in the end: the first adds what the second takes away.
    store.failNext(1, { rejects: true });
    client.send("82 07 00 01 00 00 01 'a' 01");
    fixture.clock.run();
    client.send("a2 06 00 02 00 00 01 'a'", "82 07 00 03 00 00 01 'b' 01");
    await fixture.clock.settle();
    expect(client.unread).toEqual([]);
    store.releaseCommits();
    store.holdCommits();
    await fixture.clock.advance(500);
    // The retry is in the store's hands: this comes after it.
    client.send("82 07 00 04 00 00 01 'c' 01", "a2 06 00 05 00 00 01 'b'");
    await fixture.clock.settle();
    expect(client.unread).toEqual([]);
    store.releaseCommits();
    await fixture.clock.advance(2_000);
    expect(packets(client.unread)).toEqual(["suback", "unsuback", "suback", "suback", "unsuback"]);
    const [stored] = inner.sessions();
    expect([...(stored?.subscriptions.keys() ?? [])]).toEqual(["c"]);
    await fixture.stop();
  });

  test("a queue that continues in the store waits for it, and goes on by itself", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store });
    await (await durableSubscriber(fixture)).cut();
    for (let number = 0; number < 1_100; number++) fixture.broker.publish("q", String(number), { qos: 1 });
    await fixture.clock.settle();
    const sub = await reconnect(fixture, "sub", { receiveMaximum: 1_000 });
    store.failNext(2);
    const got: string[] = [];
    const take = async (): Promise<void> => {
      for (const packet of await sub.rest()) {
        if (packet.type !== "publish") continue;
        got.push(text(packet.payload));
        sub.send({ type: "puback", packetId: packet.packetId as number, reasonCode: 0 });
      }
    };
    await take();
    expect(got.length).toBe(1_000);
    await take();
    await fixture.clock.advance(2_000);
    await take();
    await take();
    expect(got).toEqual(numbers(0, 1_100));
    await fixture.stop();
  });

  test("a client does not stay connected for ever because its last words wait for the store", async () => {
    const store = new FaultyStore(new MemoryStore());
    const fixture = await startBroker({ store });
    const sub = await durableSubscriber(fixture);
    await fixture.clock.settle();
    store.failNext(1_000, { error: new StoreError("ERR_STORE_FULL", "no room") });
    fixture.broker.publish("q", "1", { qos: 1 });
    await fixture.clock.settle();
    fixture.broker.disconnect("sub");
    await fixture.clock.advance(5_000);
    expect(sub.closed).toBe(true);
    await fixture.stop();
  });
});
