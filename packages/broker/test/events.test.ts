import type { Packet } from "@wrenmq/codec";
import type { ObserveHooks } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { type BrokerFixture, MemoryLogger, pluginOf, startBroker, text } from "./support.ts";

type Event = keyof ObserveHooks;

/** Listens to these events and writes down what they were given. */
function record(fixture: BrokerFixture, ...events: Event[]): unknown[][] {
  const seen: unknown[][] = [];
  for (const event of events) {
    fixture.broker.on(event, (...given: unknown[]) => {
      // Observers are called with as many arguments as the longest has.
      while (given.length > 0 && given.at(-1) === undefined) given.pop();
      seen.push([event, ...given]);
    });
  }
  return seen;
}

const session = { sessionExpiryInterval: 60 };

describe("events", () => {
  test("connections and sessions: from created to ended, each once", async () => {
    const fixture = await startBroker();
    const seen = record(
      fixture,
      "connected",
      "disconnected",
      "refused",
      "sessionCreated",
      "sessionResumed",
      "sessionTakenOver",
      "sessionEnded",
    );
    const story = (): string[] =>
      seen.splice(0).map(([event, who, ...rest]) => [event, (who as { clientId: string }).clientId, ...rest].join(" "));
    const first = await fixture.connect(5, { clientId: "a", properties: session });
    expect(story()).toEqual(["sessionCreated a", "connected a"]);
    const second = await fixture.connect(5, { clientId: "a", cleanStart: false, properties: session });
    await first.lastWords();
    expect(story()).toEqual(["sessionTakenOver a", "disconnected a 142", "sessionResumed a", "connected a"]);
    await second.disconnect(4);
    expect(story()).toEqual(["disconnected a 4"]);
    await fixture.clock.advance(60_000);
    expect(story()).toEqual(["sessionEnded a expired"]);
    const third = await fixture.connect(5, { clientId: "a", properties: session });
    await third.cut();
    const fourth = await fixture.connect(4, { clientId: "a" });
    expect(story()).toEqual([
      "sessionCreated a",
      "connected a",
      "disconnected a 128",
      "sessionEnded a clean",
      "sessionCreated a",
      "connected a",
    ]);
    fixture.broker.removeSession("a");
    await fourth.lastWords();
    expect(story()).toEqual(["disconnected a 152", "sessionEnded a expired"]);
    fixture.broker.subscribe("made-up", "x");
    fixture.broker.removeSession("made-up");
    expect(story()).toEqual(["sessionEnded made-up removed"]);
    await fixture.stop();
  });

  test("refused tells the client and the rule", async () => {
    const fixture = await startBroker({ hooks: { authenticate: () => ({ reasonCode: 0x86, rule: "line 7" }) } });
    const seen = record(fixture, "refused", "connected", "disconnected", "sessionCreated");
    const client = fixture.open(5);
    client.send(client.connectPacket({ clientId: "bad" }));
    await client.expect("connack", { reasonCode: 0x86 });
    expect(seen).toMatchObject([["refused", { clientId: "bad" }, { reasonCode: 0x86, rule: "test: line 7" }]]);
    await fixture.stop();
  });

  test("subscribed and unsubscribed: for each filter, with its answer", async () => {
    const fixture = await startBroker({ hooks: { authorize: (_client, _action, topic) => topic !== "no" } });
    const seen = record(fixture, "subscribed", "unsubscribed");
    const client = await fixture.connect(5, { clientId: "c" });
    await client.subscribe(["yes", "no", "bad/#/filter"], { qos: 1 });
    await client.unsubscribe("yes", "never");
    expect(seen).toMatchObject([
      ["subscribed", { clientId: "c" }, { topicFilter: "yes", qos: 1 }, 1],
      ["subscribed", { clientId: "c" }, { topicFilter: "no" }, 0x87],
      ["subscribed", { clientId: "c" }, { topicFilter: "bad/#/filter" }, 0x8f],
      ["unsubscribed", { clientId: "c" }, "yes"],
    ]);
    await fixture.stop();
  });

  test("a message: received, published, retained, delivered, acknowledged; in that order, each once", async () => {
    const fixture = await startBroker();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("a", { qos: 2 });
    const pub = await fixture.connect(5, { clientId: "pub" });
    // Whoever listens later hears of clients and sessions that are there.
    const seen = record(
      fixture,
      "received",
      "published",
      "delivered",
      "acknowledged",
      "dropped",
      "retained",
      "retainedCleared",
    );
    await pub.publish("a", "one", { qos: 2, retain: true, properties: { contentType: "x" } });
    await sub.take("a", "one");
    await fixture.clock.settle();
    const message = { topic: "a", qos: 2, retain: true, publisher: "pub", properties: { contentType: "x" } };
    expect(seen).toMatchObject([
      ["received", { clientId: "pub" }, message],
      ["published", { clientId: "pub" }, message],
      ["retained", message],
      ["delivered", { clientId: "sub" }, message, 2],
      ["acknowledged", { clientId: "sub" }, 1],
    ]);
    for (const [, , given] of seen.slice(0, 2)) {
      expect(text((given as { payload: Uint8Array }).payload)).toBe("one");
    }
    seen.length = 0;
    fixture.broker.publish("a", "", { retain: true });
    await fixture.clock.settle();
    expect(seen).toMatchObject([
      ["published", undefined, { topic: "a", publisher: "" }],
      ["retainedCleared", "a"],
      ["delivered", { clientId: "sub" }, { topic: "a" }, 0],
    ]);
    await fixture.stop();
  });

  test("dropped says whose, what and why", async () => {
    const fixture = await startBroker({
      limits: { maxQueuedMessages: 1 },
      hooks: { authorize: (_client, action, topic) => action !== "publish" || topic !== "no" },
    });
    const seen = record(fixture, "dropped");
    const pub = await fixture.connect(5, { clientId: "pub" });
    const sub = await fixture.connect(5, { clientId: "sub", properties: { ...session, maximumPacketSize: 30 } });
    await sub.subscribe(["a", "no"], { qos: 1 });
    await pub.publish("no", "1", { qos: 1 });
    await pub.publish("a", "x".repeat(40), { qos: 1 });
    await sub.cut();
    await pub.publish("a", "offline");
    await pub.publish("a", "expires", { qos: 1, properties: { messageExpiryInterval: 1 } });
    await pub.publish("a", "full", { qos: 1 });
    await fixture.clock.advance(2_000);
    await fixture.connect(5, { clientId: "sub", cleanStart: false, properties: session });
    const why = seen.map(
      ([, clientId, message, reason]) => `${clientId} ${(message as { topic: string }).topic} ${reason}`,
    );
    expect(why).toEqual([
      "pub no notAuthorized",
      "sub a tooLarge",
      "sub a offline",
      "sub a queueFull",
      "sub a expired",
    ]);
    await fixture.stop();
  });

  test("packets in both directions, also of connections that were there before", async () => {
    const fixture = await startBroker();
    const client = await fixture.connect(5, { clientId: "c" });
    const seen: string[] = [];
    fixture.broker.on("packetReceived", (who, packet) => seen.push(`> ${who?.clientId} ${describePacket(packet)}`));
    fixture.broker.on("packetSent", (who, packet) => seen.push(`< ${who?.clientId} ${describePacket(packet)}`));
    await client.subscribe("a", { qos: 1 });
    client.send(client.publishPacket("a", "x", { qos: 1 }));
    await client.take("a", "x");
    await client.expect("puback");
    await client.expectAlive();
    const late = await fixture.connect(4, { clientId: "late" });
    await late.disconnect();
    expect(seen).toEqual([
      "> c subscribe",
      "< c suback",
      "> c publish a x",
      "< c publish a x",
      "< c puback",
      "> c puback",
      "> c pingreq",
      "< c pingresp",
      "> undefined connect",
      "< late connack",
      "> late disconnect",
    ]);
    await fixture.stop();
  });

  test("brokerStarting to brokerStopped, for plugins too", async () => {
    const seen: string[] = [];
    const tell = (name: string) => (): void => void seen.push(name);
    const hooks = {
      brokerStarting: tell("brokerStarting"),
      brokerStarted: tell("brokerStarted"),
      brokerStopping: tell("brokerStopping"),
      brokerStopped: tell("brokerStopped"),
    };
    const fixture = await startBroker({ plugins: [pluginOf("watcher", hooks)] });
    await fixture.stop();
    expect(seen).toEqual(["brokerStarting", "brokerStarted", "brokerStopping", "brokerStopped"]);
  });

  test("off ends it, and one listener that throws keeps no other from hearing", async () => {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ logger });
    const seen: string[] = [];
    const one = (): void => void seen.push("one");
    fixture.broker.on("connected", () => {
      throw new Error("mine");
    });
    fixture.broker.on("connected", one).on("connected", () => void seen.push("two"));
    await fixture.connect(5);
    expect(seen).toEqual(["one", "two"]);
    expect(fixture.broker.metrics()["hookFailures"]).toBe(1);
    expect(logger.errors).toEqual(["a plugin's hook failed"]);
    fixture.broker.off("connected", one);
    await fixture.connect(5);
    expect(seen).toEqual(["one", "two", "two"]);
    await fixture.stop();
  });

  test("an observer may disconnect the client it is told of, at any time", async () => {
    for (const event of ["sessionCreated", "sessionResumed", "connected", "received", "subscribed"] as const) {
      const fixture = await startBroker();
      const { broker } = fixture;
      if (event === "sessionResumed") broker.subscribe("c", "x");
      broker.on(event, () => void broker.disconnect("c"));
      const client = fixture.open(5);
      const packets = [
        client.connectPacket({ clientId: "c", cleanStart: false }),
        client.publishPacket("t", "1", { qos: 2 }),
      ];
      if (event === "subscribed") {
        packets.splice(1, 1);
        client.send(...packets);
        client.send("82 07 00 09 00 00 01 61 00");
      } else client.send(...packets);
      await client.lastWords();
      expect(client.closed).toBe(true);
      expect(broker.session("c")?.connected ?? false).toBe(false);
      expect(broker.metrics()).toMatchObject({ clientsConnected: 0, protocolErrors: 0 });
      const next = await fixture.connect(5, { clientId: "d" }).catch(() => undefined);
      expect(next === undefined).toBe(false);
      await fixture.stop();
    }
  });
});

function describePacket(packet: Packet): string {
  return packet.type === "publish" ? `publish ${packet.topic} ${text(packet.payload)}` : packet.type;
}
