import { describe, expect, test } from "vitest";
import { type BrokerFixture, packets, type RawClient, startBroker, text } from "../support.ts";

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
