import { describe, expect, test } from "vitest";
import { type BrokerFixture, MemoryLogger, packets, type RawClient, startBroker, text } from "../support.ts";

const payloadsOf = (client: RawClient): string[] =>
  client.history.flatMap(({ packet }) => (packet.type === "publish" ? [text(packet.payload)] : []));

/** A subscriber that stopped reading, with as much waiting for it as may wait before it counts as blocked. */
async function frozen(fixture: BrokerFixture, qos: 0 | 1, clientId = "frozen"): Promise<RawClient> {
  const client = await fixture.connect(5, { clientId, properties: { sessionExpiryInterval: 60 } });
  await client.subscribe("load", { qos });
  client.freeze();
  for (let number = 0; number < 40; number++) {
    fixture.broker.publish("load", "x".repeat(4_000), { qos: 0 });
    await fixture.clock.settle();
  }
  return client;
}

describe("a subscriber that has stopped reading", () => {
  test("QoS 0 to it is dropped and counted, all others are served", async () => {
    const fixture = await startBroker({ limits: { highWater: 20_000 } });
    const well = await fixture.connect(5, { clientId: "well" });
    await well.subscribe("load");
    const stuck = await frozen(fixture, 0);
    const dropped: string[] = [];
    fixture.broker.on("dropped", (clientId, _message, reason) => void dropped.push(`${clientId} ${reason}`));
    const pub = await fixture.connect(5);
    for (let number = 0; number < 10; number++) await pub.publish("load", String(number));
    expect(payloadsOf(well).slice(-10)).toEqual(Array.from({ length: 10 }, (_, number) => String(number)));
    expect(dropped).toEqual(new Array(10).fill("frozen blocked"));
    expect(fixture.broker.metrics()["droppedBlocked"]).toBeGreaterThan(10);
    stuck.thaw();
    await fixture.clock.settle();
    await pub.publish("load", "after");
    await fixture.clock.settle();
    expect(payloadsOf(stuck).at(-1)).toBe("after");
    await fixture.stop();
  });

  test("QoS 1 queues, then its publishers' acknowledgements wait, then their packets; relief undoes it all", async () => {
    const fixture = await startBroker({
      limits: { highWater: 20_000, maxQueuedMessages: 50, maxUnsettled: 20, receiveMaximum: 500 },
    });
    const stuck = await frozen(fixture, 1);
    const pub = await fixture.connect(5, { clientId: "pub" });
    const other = await fixture.connect(5, { clientId: "other" });
    await other.subscribe("elsewhere", { qos: 1 });
    for (let number = 0; number < 100; number++) {
      pub.send(pub.publishPacket("load", String(number), { qos: 1 }));
      await fixture.clock.settle();
    }
    const acknowledged = pub.unread.length;
    expect(acknowledged).toBe(50);
    // 20 more were taken; the rest is not read until the first are settled.
    expect(fixture.broker.session("frozen")?.queued).toBe(70);
    expect(await other.publish("nobody", "others are not held up", { qos: 1 })).toBe(0x10);
    stuck.thaw();
    await fixture.clock.settle();
    for (let turns = 0; turns < 200 && pub.unread.length < 100; turns++) {
      for (const packet of await stuck.rest()) {
        if (packet.type === "publish") await stuck.acknowledge(packet);
      }
      await fixture.clock.settle();
    }
    for (const packet of await stuck.rest()) if (packet.type === "publish") await stuck.acknowledge(packet);
    await fixture.clock.settle();
    expect(pub.unread.map(({ packet }) => (packet as { packetId: number }).packetId)).toEqual(
      Array.from({ length: 100 }, (_, number) => number + 1),
    );
    expect(payloadsOf(stuck).filter((payload) => payload.length < 5)).toEqual(
      Array.from({ length: 100 }, (_, number) => String(number)),
    );
    expect(fixture.broker.metrics()).toMatchObject({ droppedQueueFull: 0, queued: 0, inflightOut: 0 });
    await fixture.stop();
  });

  for (const end of ["cut", "removeSession", "takeover"] as const) {
    test(`publishers that wait for it are let go when it is gone: ${end}`, async () => {
      const fixture = await startBroker({ limits: { highWater: 20_000, maxQueuedMessages: 5 } });
      const stuck = await frozen(fixture, 1);
      const pub = await fixture.connect(5, { clientId: "pub" });
      for (let number = 0; number < 10; number++) pub.send(pub.publishPacket("load", String(number), { qos: 1 }));
      await fixture.clock.settle();
      expect(pub.unread.length).toBe(5);
      if (end === "cut") await stuck.cut();
      else if (end === "removeSession") fixture.broker.removeSession("frozen");
      else await fixture.connect(5, { clientId: "frozen", cleanStart: false, properties: { receiveMaximum: 2 } });
      await fixture.clock.settle();
      expect(pub.unread.length).toBe(10);
      await fixture.clock.advance(5_000);
      expect(stuck.closed).toBe(true);
      await fixture.stop();
    });
  }

  test("its connection ends although its last words do not reach it", async () => {
    const fixture = await startBroker({ limits: { highWater: 20_000 } });
    const stuck = await frozen(fixture, 0);
    fixture.broker.disconnect("frozen");
    await fixture.clock.advance(5_000);
    expect(stuck.closed).toBe(true);
    expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 0, outputMemory: 0 });
    await fixture.stop();
  });
});

describe("a queue at its bound", () => {
  async function offline(overflow: "backpressure" | "drop-new" | "drop-old" | "disconnect", bytes = 0) {
    const fixture = await startBroker({
      limits: { overflow, maxQueuedMessages: bytes > 0 ? 1_000 : 3, ...(bytes > 0 ? { maxQueuedBytes: bytes } : {}) },
    });
    const sub = await fixture.connect(5, { clientId: "sub", properties: { sessionExpiryInterval: 60 } });
    await sub.subscribe("q", { qos: 1 });
    await sub.cut();
    const pub = await fixture.connect(5, { clientId: "pub" });
    for (const payload of ["1", "2", "3", "4", "5"]) expect(await pub.publish("q", payload, { qos: 1 })).toBe(0);
    const again = await fixture.connect(5, { clientId: "sub", cleanStart: false });
    const got = await again.messages();
    const { droppedQueueFull } = fixture.broker.metrics();
    await fixture.stop();
    return { got, droppedQueueFull };
  }

  test("the client is away: backpressure and drop-new keep the first", async () => {
    const kept = { got: ["1", "2", "3"], droppedQueueFull: 2 };
    expect(await offline("backpressure")).toEqual(kept);
    expect(await offline("drop-new")).toEqual(kept);
    expect(await offline("disconnect")).toEqual(kept);
  });

  test("the client is away: drop-old keeps the last", async () => {
    expect(await offline("drop-old")).toEqual({ got: ["3", "4", "5"], droppedQueueFull: 2 });
  });

  test("bytes count too", async () => {
    // Each counts its payload, its topic, and 100 bytes.
    expect(await offline("drop-new", 203)).toEqual({ got: ["1", "2"], droppedQueueFull: 3 });
  });

  async function slow(overflow: "drop-new" | "drop-old" | "disconnect") {
    const fixture = await startBroker({ limits: { overflow, maxQueuedMessages: 3 } });
    const sub = await fixture.connect(5, {
      clientId: "sub",
      properties: { sessionExpiryInterval: 60, receiveMaximum: 1 },
    });
    await sub.subscribe("q", { qos: 1 });
    const pub = await fixture.connect(5, { clientId: "pub" });
    for (let number = 0; number < 6; number++) expect(await pub.publish("q", String(number), { qos: 1 })).toBe(0);
    return { fixture, sub };
  }

  test("the client is slow: drop-new and drop-old", async () => {
    for (const [overflow, expected] of [
      ["drop-new", ["0", "1", "2", "3"]],
      ["drop-old", ["0", "3", "4", "5"]],
    ] as const) {
      const { fixture, sub } = await slow(overflow);
      for (const payload of expected) await sub.take("q", payload);
      await sub.expectNothing();
      expect(fixture.broker.metrics()).toMatchObject({ droppedQueueFull: 2, queued: 0 });
      await fixture.stop();
    }
  });

  test("the client is slow: disconnect, with 0x97", async () => {
    const { fixture, sub } = await slow("disconnect");
    expect(packets(sub.unread)).toEqual(["publish", "disconnect"]);
    expect((await sub.lastWords()).at(-1)).toMatchObject({ reasonCode: 0x97 });
    expect(fixture.broker.session("sub")).toMatchObject({ connected: false, queued: 3, inflight: 1 });
    await fixture.stop();
  });

  test("a client that fills its own queue by publishing is disconnected, and nothing follows", async () => {
    const fixture = await startBroker({ limits: { overflow: "disconnect", maxQueuedMessages: 1 } });
    const self = await fixture.connect(5, { clientId: "self", properties: { receiveMaximum: 1 } });
    await self.subscribe("q", { qos: 1 });
    for (let number = 0; number < 4; number++) self.send(self.publishPacket("q", String(number), { qos: 1 }));
    expect((await self.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x97 });
    await fixture.stop();
  });
});

describe("rates", () => {
  for (const [limit, rate] of [
    ["messageRate", 10],
    ["byteRate", 100],
  ] as const) {
    test(`${limit} slows the client down and loses nothing`, async () => {
      const fixture = await startBroker({ limits: { [limit]: rate }, chunkSize: 10 });
      const sub = await fixture.connect(5, { clientId: "sub" });
      await sub.subscribe("t", { qos: 1 });
      const pub = await fixture.connect(5, { clientId: "pub" });
      await fixture.clock.advance(10_000);
      const before = fixture.clock.now();
      for (let number = 0; number < 50; number++) pub.send(pub.publishPacket("t", String(number % 10), { qos: 0 }));
      await fixture.clock.advance(1_000);
      expect(payloadsOf(sub).length).toBeLessThan(30);
      while (payloadsOf(sub).length < 50 && fixture.clock.now() < before + 60_000) await fixture.clock.advance(100);
      expect(payloadsOf(sub)).toEqual(Array.from({ length: 50 }, (_, number) => String(number % 10)));
      // A burst of one second, then what the rate allows.
      expect(fixture.clock.now() - before).toBeGreaterThanOrEqual(limit === "messageRate" ? 3_900 : 1_900);
      expect(fixture.clock.now() - before).toBeLessThanOrEqual(6_000);
      await fixture.stop();
    });
  }
});

/** A subscriber that acknowledges nothing: what exceeds its Receive Maximum of 1 is queued. */
async function silent(fixture: BrokerFixture, clientId: string, topic = "load"): Promise<RawClient> {
  const properties = { sessionExpiryInterval: 60, receiveMaximum: 1 };
  const client = await fixture.connect(5, { clientId, properties });
  await client.subscribe(topic, { qos: 1 });
  return client;
}

/** Acknowledges the message that is in flight, so that the next one is sent. */
async function acknowledgeOne(client: RawClient): Promise<void> {
  await client.acknowledge(await client.expect("publish"));
}

describe("several congested queues", () => {
  test("all are waited for: the queue of one that does nothing stays within its bound while another one goes on", async () => {
    const fixture = await startBroker({
      limits: { maxQueuedMessages: 5, backpressureTimeout: 0 },
    });
    await silent(fixture, "first");
    const second = await silent(fixture, "second");
    const publishers = await Promise.all(
      Array.from({ length: 10 }, (_, number) => fixture.connect(5, { clientId: `pub-${number}` })),
    );
    const send = (): void => {
      for (const publisher of publishers) publisher.send(publisher.publishPacket("load", "x", { qos: 1 }));
    };
    send();
    await fixture.clock.settle();
    for (let round = 0; round < 30; round++) {
      // Who has its acknowledgement sends the next one.
      for (const publisher of publishers) {
        if (publisher.shift()?.type === "puback") publisher.send(publisher.publishPacket("load", "x", { qos: 1 }));
      }
      if (second.unread.length > 0) await acknowledgeOne(second);
      await fixture.clock.settle();
    }
    // At the bound, and one more of each publisher at the most.
    expect(fixture.broker.session("first")?.queued).toBeLessThanOrEqual(15);
    expect(fixture.broker.metrics()["droppedQueueFull"]).toBe(0);
    await fixture.stop();
  });
});

describe("a session may hold publishers for a time only", () => {
  async function congested(backpressureTimeout: number, maxQueuedMessages = 10) {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ limits: { maxQueuedMessages, backpressureTimeout }, logger });
    const stuck = await silent(fixture, "stuck");
    const pub = await fixture.connect(5, { clientId: "pub" });
    const dropped: unknown[] = [];
    fixture.broker.on("dropped", (clientId, message, reason, side) => {
      dropped.push([clientId, text(message.payload), reason, side]);
    });
    // One in flight, the queue at its bound.
    for (let number = 0; number <= maxQueuedMessages; number++)
      expect(await pub.publish("load", `${number}`, { qos: 1 })).toBe(0);
    const warnings = (): object[] => logger.lines.filter(({ level }) => level === "warn");
    return { fixture, stuck, pub, dropped, warnings, logger };
  }

  test("within it they wait; then what is new is dropped, counted and logged once, until half of the queue is gone", async () => {
    const { fixture, stuck, pub, dropped, warnings, logger } = await congested(2_000);
    pub.send(pub.publishPacket("load", "held", { qos: 1 }), pub.publishPacket("load", "held too", { qos: 2 }));
    await fixture.clock.advance(1_900);
    expect(pub.unread.length).toBe(0);
    await fixture.clock.advance(300);
    // 100 ms is what a timer may be late.
    expect(pub.unread.map(({ packet }) => packet.type)).toEqual(["puback", "pubrec"]);
    expect(dropped).toEqual([]);
    await pub.rest();
    for (const payload of ["a", "b"]) expect(await pub.publish("load", payload, { qos: 1 })).toBe(0);
    expect(dropped).toEqual([
      ["stuck", "a", "queueFull", "subscriber"],
      ["stuck", "b", "queueFull", "subscriber"],
    ]);
    expect(fixture.broker.metrics()["droppedQueueFull"]).toBe(2);
    expect(warnings()).toMatchObject([
      { fields: { clientId: "stuck", queued: 12 }, message: expect.stringContaining("does not keep up") },
    ]);
    // 12 wait: below half of 10 there are 4.
    for (let number = 0; number < 7; number++) await acknowledgeOne(stuck);
    expect(await pub.publish("load", "c", { qos: 1 })).toBe(0);
    expect(dropped.length).toBe(3);
    await acknowledgeOne(stuck);
    await fixture.clock.settle();
    expect(logger.lines.at(-1)).toMatchObject({ level: "info", fields: { clientId: "stuck", dropped: 3 } });
    expect(await pub.publish("load", "d", { qos: 1 })).toBe(0);
    expect(dropped.length).toBe(3);
    expect(fixture.broker.session("stuck")?.queued).toBe(5);
    await fixture.stop();
  });

  test("the time begins anew each time the queue passes its bound", async () => {
    const { fixture, stuck, pub, dropped } = await congested(2_000);
    for (let round = 0; round < 5; round++) {
      pub.send(pub.publishPacket("load", `held ${round}`, { qos: 1 }));
      await fixture.clock.advance(1_500);
      expect(pub.unread.length).toBe(0);
      await acknowledgeOne(stuck);
      await acknowledgeOne(stuck);
      await fixture.clock.settle();
      expect(pub.unread.length).toBe(1);
      await pub.rest();
      expect(await pub.publish("load", "fills the place", { qos: 1 })).toBe(0);
    }
    expect(dropped).toEqual([]);
    await fixture.stop();
  });

  test("one timer for all who wait, however many messages", async () => {
    const { fixture, pub } = await congested(2_000);
    const { timers } = fixture.broker.metrics();
    for (let number = 0; number < 100; number++) pub.send(pub.publishPacket("load", "x", { qos: 1 }));
    await fixture.clock.settle();
    expect(fixture.broker.metrics()["timers"]).toBe((timers ?? 0) + 1);
    await fixture.stop();
  });

  test("0: for as long as it takes", async () => {
    const { fixture, stuck, pub, warnings } = await congested(0);
    pub.send(pub.publishPacket("load", "held", { qos: 1 }));
    await fixture.clock.advance(3_600_000);
    expect(pub.unread).toEqual([]);
    await stuck.cut();
    await pub.expect("puback");
    expect(warnings()).toEqual([]);
    await fixture.stop();
  });

  test("who comes back still counts as not keeping up: reconnecting does not hold publishers again", async () => {
    const { fixture, stuck, pub, dropped } = await congested(2_000);
    pub.send(pub.publishPacket("load", "held", { qos: 1 }));
    await fixture.clock.advance(2_200);
    await pub.rest();
    await stuck.cut();
    await fixture.connect(5, { clientId: "stuck", cleanStart: false, properties: { receiveMaximum: 1 } });
    expect(await pub.publish("load", "new", { qos: 1 })).toBe(0);
    expect(dropped).toEqual([["stuck", "new", "queueFull", "subscriber"]]);
    await fixture.stop();
  });

  test("retained messages for a slow client are not dropped, they wait for room", async () => {
    const fixture = await startBroker({ limits: { maxQueuedMessages: 5, backpressureTimeout: 1_000 } });
    for (let number = 0; number < 30; number++)
      fixture.broker.publish(`kept/${number}`, `${number}`, { retain: true, qos: 1 });
    const slow = await silent(fixture, "slow", "kept/#");
    await fixture.clock.advance(10_000);
    const got: string[] = [];
    for (let number = 0; number < 30; number++) {
      const packet = await slow.expect("publish");
      got.push(text(packet.payload));
      await slow.acknowledge(packet);
    }
    expect(new Set(got).size).toBe(30);
    expect(fixture.broker.metrics()["droppedQueueFull"]).toBe(0);
    await fixture.stop();
  });
});
