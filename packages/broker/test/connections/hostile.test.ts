import { connect } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createBroker } from "../../src/index.ts";
import { MemoryLogger, pluginOf, RealPace, startBroker } from "../support.ts";

const nothingLeft = { clientsConnected: 0, clientsTotal: 0, subscriptions: 0, outputMemory: 0 };

describe("hostile clients", () => {
  test("any bytes at all: the connection ends or goes on, the broker stays, and nothing is left", async () => {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ logger });
    const well = await fixture.connect(5, { clientId: "well" });
    const hello = well.encode(well.connectPacket({ clientId: "x" }));
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.uint8Array({ maxLength: 200 }),
        fc.integer({ min: 1, max: 16 }),
        async (connected, bytes, type) => {
          const client = fixture.open(5);
          if (connected) client.send(hello);
          client.send(new Uint8Array([(type & 15) << 4, Math.min(127, bytes.length), ...bytes]));
          await fixture.clock.settle();
          await client.cut();
        },
      ),
      { numRuns: 300 },
    );
    await well.expectAlive();
    expect(logger.errors).toEqual([]);
    fixture.broker.removeSession("x");
    expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 1, clientsTotal: 1, outputMemory: 0 });
    await fixture.stop();
  });

  test("packets cut off in the middle, at each byte", async () => {
    const fixture = await startBroker();
    const probe = fixture.open(5);
    const whole = [
      ...probe.encode(probe.connectPacket({ clientId: "half", keepAlive: 5 })),
      ...probe.encode(probe.publishPacket("a", "payload", { qos: 2 })),
      ...probe.encode("82 07 00 09 00 00 01 61 00"),
    ];
    for (let length = 0; length < whole.length; length++) {
      const client = fixture.open(5);
      client.send(new Uint8Array(whole.slice(0, length)));
      await fixture.clock.settle();
      await client.cut();
    }
    await probe.cut();
    expect(fixture.broker.metrics()).toMatchObject({ ...nothingLeft, protocolErrors: 0 });
    await fixture.stop();
  });

  test("thousands of tiny packets in one piece, and answers that nobody reads", async () => {
    const fixture = await startBroker({ limits: { highWater: 64 * 1024 } });
    const client = await fixture.connect(5, { clientId: "flood", keepAlive: 10 });
    client.freeze();
    client.send(new Uint8Array(40_000).map((_, index) => (index % 2 === 0 ? 0xc0 : 0)));
    await fixture.clock.settle();
    expect(fixture.broker.metrics()["packetsReceived"]).toBe(20_001);
    const well = await fixture.connect(5, { clientId: "well" });
    await well.expectAlive();
    await fixture.clock.advance(30_000);
    expect(fixture.broker.session("flood")).toBeUndefined();
    expect(fixture.broker.metrics()).toMatchObject({ clientsConnected: 1, outputMemory: 0 });
    await fixture.stop();
  });

  test("a flood of subscriptions meets its limit, and goes with its client", async () => {
    const fixture = await startBroker({ limits: { maxSubscriptions: 100 } });
    const client = await fixture.connect(5, { clientId: "greedy" });
    const refused: number[] = [];
    for (let batch = 0; batch < 10; batch++) {
      const filters = Array.from({ length: 50 }, (_, index) => `${batch}/+/${index}/#`);
      refused.push((await client.subscribe(filters)).reasonCodes.filter((code) => code === 0x97).length);
    }
    expect(refused).toEqual([0, 0, 50, 50, 50, 50, 50, 50, 50, 50]);
    expect(fixture.broker.metrics()["subscriptions"]).toBe(100);
    await client.cut();
    expect(fixture.broker.metrics()).toMatchObject(nothingLeft);
    await fixture.stop();
  });

  test("packets that are small for their size limit and large once decoded are refused and counted", async () => {
    const fixture = await startBroker();
    const pairs = (count: number) => Array.from({ length: count }, () => ["", ""] as const);
    const stranger = fixture.open(5);
    stranger.send(stranger.connectPacket({ properties: { userProperties: pairs(1_001) } }));
    await stranger.expect("connack", { reasonCode: 0x97 });
    const client = await fixture.connect(5, { properties: { userProperties: pairs(1_000) } });
    await client.publish("t", "", { properties: { userProperties: pairs(2_000) } });
    const head = [0x00, 0x01, 0x00];
    const filter = [0x00, 0x01, 0x23, 0x00];
    const body = [...head, ...new Array(100_001).fill(filter).flat()];
    client.send(
      new Uint8Array([0x82, 0x80 | (body.length & 0x7f), 0x80 | ((body.length >> 7) & 0x7f), body.length >> 14]),
    );
    client.send(new Uint8Array(body));
    await client.expect("disconnect", { reasonCode: 0x97 });
    expect(fixture.broker.metrics()).toMatchObject({ subscriptions: 0, protocolErrors: 2 });
    await fixture.stop();
  });

  test("one filter again and again: retained messages are not owed without end", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5, { clientId: "again" });
    const filters = (packetId: number) => ({
      type: "subscribe" as const,
      packetId,
      subscriptions: new Array(60_000).fill({ topicFilter: "+", qos: 0, retainHandling: 0 }),
    });
    client.send(filters(1), filters(2));
    const first = await client.expect("suback", { packetId: 1 });
    expect(first.reasonCodes.every((code) => code === 0)).toBe(true);
    // Some of the first have had theirs by now.
    const second = await client.expect("suback", { packetId: 2 });
    expect([second.reasonCodes.includes(0), second.reasonCodes.at(-1)]).toEqual([true, 0x97]);
    expect((await client.subscribe("+")).reasonCodes).toEqual([0]);
    await fixture.stop();
  });

  test("long filters: the bound is on what they take together, and comes back with them", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5, { clientId: "long" });
    const filters = Array.from({ length: 100 }, (_, number) => `${number}/`.padEnd(60_000, "x"));
    const codes: number[] = [];
    for (let batch = 0; batch < 600 && codes.at(-1) !== 0x97; batch += 100) {
      codes.push(...(await client.subscribe(filters.map((filter) => `${batch}/${filter}`))).reasonCodes);
    }
    expect(codes.indexOf(0x97)).toBe(Math.floor((32 * 1024 * 1024) / 60_004));
    expect((await client.subscribe("short")).reasonCodes).toEqual([0]);
    await client.unsubscribe(`100/${filters[0]}`);
    expect((await client.subscribe(`600/${filters[0]}`)).reasonCodes).toEqual([0]);
    await fixture.stop();
  });

  test("one client with more subscriptions to a topic than a function takes arguments: its publisher does not suffer", async () => {
    const fixture = await startBroker({ limits: { maxSubscriptions: 0 } });
    const client = await fixture.connect(5, { clientId: "all" });
    const levels = 17;
    const filters = Array.from({ length: 2 ** levels }, (_, bits) =>
      Array.from({ length: levels }, (_, level) => ((bits >> level) & 1 ? "+" : "a")).join("/"),
    );
    await client.subscribe(filters.slice(0, 65_536));
    await client.subscribe(filters.slice(65_536));
    const publisher = await fixture.connect(5, { clientId: "publisher" });
    expect(await publisher.publish(filters[0] as string, "x", { qos: 1 })).toBe(0);
    expect(await client.messages()).toEqual(["x"]);
    await fixture.stop();
  });

  test("a filter that matches none of many retained messages keeps nobody waiting", async () => {
    const sent: string[] = [];
    const fixture = await startBroker({
      hooks: { packetSent: (client, packet) => void sent.push(`${client?.clientId} ${packet.type}`) },
    });
    for (let i = 0; i < 20_000; i++) fixture.broker.publish(`r/${i}`, "x", { retain: true });
    fixture.broker.publish("last", "x", { retain: true });
    const seeker = await fixture.connect(5, { clientId: "seeker" });
    const well = await fixture.connect(5, { clientId: "well" });
    sent.length = 0;
    seeker.send(seeker.encode("82 15 00 01 00 00 08 72 2f 2b 2f 6e 6f 6e 65 00 00 04 6c 61 73 74 00"));
    well.send("c0 00");
    await fixture.clock.settle();
    expect(sent).toEqual(["seeker suback", "well pingresp", "seeker publish"]);
    await fixture.stop();
  });

  test("who does not read his answers is asked nothing more until he does", async () => {
    const fixture = await startBroker({ limits: { highWater: 50_000, maxBuffered: 50_000 } });
    const client = await fixture.connect(5, { clientId: "deaf", keepAlive: 60 });
    client.freeze();
    const pings = new Uint8Array(20_000).map((_, index) => (index % 2 === 0 ? 0xc0 : 0));
    const answered = () => Number(fixture.broker.metrics()["packetsReceived"]) - 1;
    for (let round = 0; round < 20; round++) {
      client.send(pings);
      await fixture.clock.settle();
    }
    expect(answered()).toBeLessThan(150_000);
    client.thaw();
    await fixture.clock.settle();
    expect(answered()).toBe(200_000);
    client.forget();
    client.freeze();
    for (let round = 0; round < 20; round++) {
      client.send(pings);
      await fixture.clock.settle();
    }
    await fixture.clock.advance(100_000);
    expect(fixture.broker.session("deaf")).toBeUndefined();
    expect(fixture.broker.metrics()).toMatchObject(nothingLeft);
    await fixture.stop();
  });

  test("who is behind with large messages is heard all the same", async () => {
    const fixture = await startBroker({ limits: { highWater: 80_000, maxBuffered: 1_000 } });
    const client = await fixture.connect(5, { clientId: "slow" });
    await client.subscribe("load");
    client.freeze();
    for (const size of [70_000, 200_000]) {
      fixture.broker.publish("load", "x".repeat(size));
      await fixture.clock.settle();
    }
    const received = () => fixture.broker.metrics()["publishReceived"];
    for (let number = 1; number <= 3; number++) {
      client.send(client.publishPacket("t", "x"));
      await fixture.clock.settle();
      expect(received()).toBe(number);
    }
    await fixture.stop();
  });

  test("memory is not given to who has not said who he is", async () => {
    const fixture = await startBroker();
    const other = fixture.open(5);
    other.send("30 ff ff 7f 00");
    await fixture.clock.settle();
    expect(other.closed).toBe(true);
    const large = fixture.open(5);
    large.send("10 ff ff 7f 00");
    await fixture.clock.settle();
    expect(large.closed).toBe(true);
    expect(fixture.broker.metrics()["protocolErrors"]).toBe(2);
    const allowed = await fixture.connect(5);
    await allowed.subscribe("t");
    await allowed.publish("t", "x".repeat(600_000));
    await allowed.take("t", "x".repeat(600_000));
    await fixture.stop();
  });

  test("over real sockets: garbage, slow CONNECTs, resets in the middle, unread output", async () => {
    const logger = new MemoryLogger();
    const pace = new RealPace();
    await using broker = createBroker({
      listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
      plugins: [pluginOf("open", { authenticate: () => true })],
      limits: { connectTimeout: 100, highWater: 100_000 },
      sys: { intervalSeconds: 0 },
      logger,
    });
    await broker.start();
    const dial = () => {
      const socket = connect(broker.port("tcp") as number, "127.0.0.1");
      socket.on("error", () => {});
      return socket;
    };
    const hello = Buffer.from([0x10, 0x0d, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 0, 0, 1, 0x78]);
    for (let round = 0; round < 20; round++) {
      const garbage = dial();
      garbage.end("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
      garbage.resume();
      const half = dial();
      half.write(hello.subarray(0, 9));
      const reset = dial();
      reset.write(hello, () => reset.resetAndDestroy());
    }
    const reader = dial();
    reader.write(Buffer.concat([hello, Buffer.from([0x82, 6, 0, 1, 0, 1, 0x62, 0])]));
    await pace.until(() => broker.session("x")?.subscriptions.has("b") === true);
    reader.pause();
    for (let count = 0; count < 400; count++) {
      broker.publish("b", new Uint8Array(50_000));
      if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await pace.until(() => (broker.metrics()["droppedBlocked"] ?? 0) > 0);
    expect(broker.metrics()["droppedBlocked"]).toBeGreaterThan(0);
    reader.resetAndDestroy();
    await pace.until(() => {
      const { clientsTotal, outputMemory } = broker.metrics();
      return clientsTotal === 0 && outputMemory === 0;
    });
    expect(broker.metrics()).toMatchObject(nothingLeft);
    expect(broker.metrics()["protocolErrors"]).toBeGreaterThanOrEqual(20);
    expect(logger.errors).toEqual([]);
  });
});

describe("residue", () => {
  test("thousands of clients and sessions come and go, and nothing is left of them", async () => {
    const fixture = await startBroker();
    const { broker, clock } = fixture;
    const before = broker.metrics()["timers"] as number;
    const will = {
      topic: "w",
      payload: new Uint8Array(3),
      qos: 1,
      retain: false,
      properties: { willDelayInterval: 9 },
    } as const;
    for (let number = 0; number < 600; number++) {
      const client = fixture.open(5);
      const clientId = `c${number % 150}`;
      client.send(
        client.connectPacket({
          clientId,
          cleanStart: number % 3 === 0,
          keepAlive: 60,
          will,
          properties: { sessionExpiryInterval: 86_400 * (number % 2) },
        }),
        client.publishPacket(`t/${number % 50}`, "x".repeat(number % 300), { qos: (number % 3) as 0 | 1 | 2 }),
        "82 08 00 09 00 00 02 't/' 01",
        "82 09 00 0a 00 00 03 't/+' 02",
      );
      clock.run();
      if (number % 4 === 0) client.send({ type: "disconnect", reasonCode: 0 });
      else client.destroy();
      clock.run();
    }
    await clock.settle();
    expect(broker.metrics()).toMatchObject({ clientsConnected: 0, outputMemory: 0 });
    // Sessions with a day to live, their wills and no more: not one timer for each time that somebody was here.
    expect(broker.metrics()["timers"]).toBeLessThanOrEqual(before + 300);
    for (const { clientId } of [...broker.sessions()]) broker.removeSession(clientId);
    expect(broker.metrics()).toMatchObject({
      ...nothingLeft,
      queued: 0,
      inflightIn: 0,
      inflightOut: 0,
      timers: before,
    });
    await fixture.stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
