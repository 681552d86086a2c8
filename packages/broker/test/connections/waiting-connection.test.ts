// A connection whose messages wait for somebody is still read: only its further PUBLISH packets wait.
import { describe, expect, test } from "vitest";
import { type BrokerFixture, held, type RawClient, startBroker, text } from "../support.ts";

/** No time limit: see `backpressureTimeout`. */
const NEVER = 0;

/** A publisher whose messages on `load` wait for a subscriber that acknowledges nothing. */
async function waiting(
  version: 4 | 5,
  options: { maxUnsettled?: number; keepAlive?: number; maxBuffered?: number } = {},
) {
  const { maxUnsettled = 3, keepAlive = 0, ...limits } = options;
  const fixture = await startBroker({
    limits: { maxQueuedMessages: 1, backpressureTimeout: NEVER, maxUnsettled, ...limits },
  });
  const stuck = await fixture.connect(5, { clientId: "stuck", properties: { receiveMaximum: 1 } });
  await stuck.subscribe("load", { qos: 1 });
  for (const payload of ["in flight", "queued"]) fixture.broker.publish("load", payload, { qos: 1 });
  await stuck.rest();
  const pub = await fixture.connect(version, { clientId: "pub", cleanStart: false, keepAlive });
  await pub.subscribe("mine", { qos: 1 });
  for (let number = 0; number < 10; number++) pub.send(pub.publishPacket("load", `${number}`, { qos: 1 }));
  await fixture.clock.settle();
  expect(pub.unread).toEqual([]);
  expect(fixture.broker.session("stuck")?.queued).toBe(1 + maxUnsettled);
  return { fixture, stuck, pub };
}

async function relieve(fixture: BrokerFixture, stuck: RawClient): Promise<void> {
  fixture.broker.disconnect("stuck");
  await stuck.lastWords();
  await fixture.clock.settle();
}

describe.each([4, 5] as const)("while its messages wait, a client of version %i", (version) => {
  test("has its PINGREQ answered", async () => {
    const { fixture, stuck, pub } = await waiting(version);
    await pub.expectAlive();
    await relieve(fixture, stuck);
    expect((await pub.rest()).length).toBe(10);
    await fixture.stop();
  });

  test("may acknowledge what it is sent, and gets more", async () => {
    const { fixture, pub } = await waiting(version);
    for (const payload of ["1", "2", "3"]) {
      fixture.broker.publish("mine", payload, { qos: 1 });
      await pub.take("mine", payload);
    }
    await fixture.clock.settle();
    expect(fixture.broker.session("pub")?.inflight).toBe(0);
    await fixture.stop();
  });

  test("is gone when its socket is", async () => {
    const { fixture, pub } = await waiting(version, { keepAlive: 1 });
    await pub.cut();
    expect([...fixture.broker.clients()].map(({ clientId }) => clientId)).not.toContain("pub");
    await fixture.stop();
  });

  test("is gone when it says DISCONNECT; what it sent before is taken", async () => {
    const { fixture, stuck, pub } = await waiting(version);
    pub.send({ type: "disconnect", reasonCode: 0 });
    await fixture.clock.settle();
    expect(pub.closed).toBe(true);
    expect([...fixture.broker.clients()].map(({ clientId }) => clientId)).not.toContain("pub");
    expect(fixture.broker.session("stuck")?.queued).toBe(11);
    expect(stuck.closed).toBe(false);
    await fixture.stop();
  });

  test("is disconnected when its keep alive is over", async () => {
    const { fixture, pub } = await waiting(version, { keepAlive: 10 });
    await fixture.clock.advance(16_000);
    expect(pub.closed).toBe(true);
    expect([...fixture.broker.clients()].map(({ clientId }) => clientId)).not.toContain("pub");
    await fixture.stop();
  });

  test("has its messages taken and acknowledged in order when there is room again", async () => {
    const { fixture, stuck, pub } = await waiting(version);
    const listener = await fixture.connect(5, { clientId: "listener" });
    await listener.subscribe("load", { qos: 1 });
    await relieve(fixture, stuck);
    const ids = (await pub.rest()).map((packet) => (packet.type === "puback" ? packet.packetId : packet.type));
    expect(ids).toEqual(Array.from({ length: 10 }, (_, index) => 2 + index));
    const rest = await listener.messages();
    expect(rest).toEqual(["3", "4", "5", "6", "7", "8", "9"]);
    await fixture.stop();
  });
});

describe("only PUBLISH waits", () => {
  test("a client that subscribes to its own topic and acknowledges what it gets is not wedged", async () => {
    const fixture = await startBroker({
      limits: { maxQueuedMessages: 2, maxUnsettled: 2, backpressureTimeout: NEVER },
    });
    const client = await fixture.connect(4, { clientId: "c", keepAlive: 0 });
    await client.subscribe("own", { qos: 1 });
    const count = 50;
    await fixture.clock.settle();
    for (let number = 0; number < count; number++) client.send(client.publishPacket("own", `${number}`, { qos: 1 }));
    const got: string[] = [];
    let acknowledged = 0;
    while (got.length < count || acknowledged < count) {
      const { packet } = await client.receive();
      if (packet.type === "puback") acknowledged++;
      if (packet.type !== "publish") continue;
      got.push(text(packet.payload));
      await client.acknowledge(packet);
    }
    expect(got).toEqual(Array.from({ length: count }, (_, number) => `${number}`));
    await fixture.stop();
  });

  test("what comes behind a waiting PUBLISH keeps its place: SUBSCRIBE, UNSUBSCRIBE, PUBLISH of QoS 0", async () => {
    const { fixture, stuck, pub } = await waiting(5);
    fixture.broker.publish("mine/kept", "old", { retain: true });
    pub.send(pub.publishPacket("mine/kept", "new", { retain: true }));
    pub.send("82 0f 00 63 00 00 09 'mine/kept' 00");
    pub.send({ type: "pingreq" });
    await pub.expect("pingresp");
    await relieve(fixture, stuck);
    const rest = await pub.rest();
    const types = rest.map(({ type }) => type);
    expect(types).toEqual([...new Array(10).fill("puback"), "suback", "publish"]);
    const last = rest.at(-1);
    expect(last?.type === "publish" && text(last.payload)).toBe("new");
    await fixture.stop();
  });

  test("QoS 0 that came before the end of the socket is published, QoS 1 is left to be sent again", async () => {
    const { fixture, stuck, pub } = await waiting(5);
    const listener = await fixture.connect(5, { clientId: "listener" });
    await listener.subscribe("#", { qos: 1 });
    pub.send(pub.publishPacket("other", "zero"), pub.publishPacket("other", "one", { qos: 1 }));
    await fixture.clock.settle();
    await pub.cut();
    expect(await listener.messages()).toEqual(["zero"]);
    await relieve(fixture, stuck);
    await fixture.stop();
  });

  test("the same while a plugin is asked about the first", async () => {
    const answer = held<boolean>();
    const fixture = await startBroker({
      hooks: {
        authorize: (client, action) => (client.clientId === "pub" && action === "publish" ? answer.promise : true),
      },
    });
    const listener = await fixture.connect(5, { clientId: "listener" });
    await listener.subscribe("#", { qos: 1 });
    const pub = await fixture.connect(5, { clientId: "pub" });
    pub.send(
      pub.publishPacket("t", "first"),
      pub.publishPacket("t", "second", { qos: 1 }),
      pub.publishPacket("t", "third"),
    );
    await fixture.clock.settle();
    await pub.cut();
    expect(fixture.broker.connected).toBe(1);
    answer.keep(true);
    expect(await listener.messages()).toEqual(["first", "third"]);
    await fixture.stop();
  });

  test("maxUnsettled holds for each message, not for each piece that was read", async () => {
    const { fixture, stuck } = await waiting(5, { maxUnsettled: 2 });
    const other = await fixture.connect(5, { clientId: "other" });
    // All in one piece.
    other.send(...Array.from({ length: 20 }, (_, number) => other.publishPacket("load", `${number}`, { qos: 1 })));
    await fixture.clock.settle();
    expect(fixture.broker.session("stuck")?.queued).toBe(1 + 2 + 2);
    await relieve(fixture, stuck);
    expect((await other.rest()).length).toBe(20);
    await fixture.stop();
  });

  test("beyond the bound of bytes it is read no further, and goes on where it stopped", async () => {
    const { fixture, stuck, pub } = await waiting(5, { maxBuffered: 2_000 });
    const payload = "x".repeat(1_000);
    for (let number = 0; number < 20; number++) {
      pub.send(pub.publishPacket("load", `${number} ${payload}`, { qos: 1 }));
      await fixture.clock.settle();
    }
    pub.send({ type: "pingreq" });
    await fixture.clock.settle();
    expect(pub.unread).toEqual([]);
    await relieve(fixture, stuck);
    expect((await pub.rest()).map(({ type }) => type)).toEqual([...new Array(30).fill("puback"), "pingresp"]);
    await fixture.stop();
  });

  test("a message rate holds messages back, not acknowledgements and pings", async () => {
    const fixture = await startBroker({ limits: { messageRate: 5 } });
    const client = await fixture.connect(5, { clientId: "c" });
    await client.subscribe("mine", { qos: 1 });
    client.send(...Array.from({ length: 20 }, (_, number) => client.publishPacket("t", `${number}`, { qos: 1 })));
    client.send({ type: "pingreq" });
    await fixture.clock.settle();
    const first = await client.rest();
    expect(first.at(-1)?.type).toBe("pingresp");
    expect(first.length).toBeLessThan(12);
    fixture.broker.publish("mine", "m", { qos: 1 });
    await client.take("mine", "m");
    await fixture.clock.advance(10_000);
    expect(first.length + (await client.rest()).length).toBe(21);
    await fixture.stop();
  });
});
