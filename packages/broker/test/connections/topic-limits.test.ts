// Length and levels of topics: those of the listener bind what its clients publish as what they subscribe to.
import { MemoryStore } from "@wrenmq/store";
import { memoryPair } from "@wrenmq/transport/memory";
import { expect, test } from "vitest";
import { type BrokerFixture, RawClient, startBroker } from "../support.ts";

const LISTENERS = {
  tight: { type: "external", limits: { maxTopicLength: 10, maxTopicLevels: 3 } },
  usual: { type: "external" },
  wide: { type: "external", limits: { maxTopicLength: 40, maxTopicLevels: 8 } },
} as const;
const BROKER = { maxTopicLength: 20, maxTopicLevels: 5 };
/** Within the limits of each, and beyond them: by bytes, and by levels. */
const TOPICS = {
  tight: { good: ["x".repeat(10), "a/b/c", "ää/ö/ü"], bad: ["x".repeat(11), "a/b/c/d", "äää/öö"] },
  usual: { good: ["x".repeat(20), "a/b/c/d/e"], bad: ["x".repeat(21), "a/b/c/d/e/f"] },
  wide: { good: ["x".repeat(40), "a/b/c/d/e/f/g/h"], bad: ["x".repeat(41), "a/b/c/d/e/f/g/h/i"] },
} as const;

async function join(fixture: BrokerFixture, listener: string, clientId: string = listener): Promise<RawClient> {
  const [near, far] = memoryPair({ schedule: fixture.clock.schedule });
  fixture.broker.accept(far, { listener });
  const client = new RawClient(near, 5, fixture.pace);
  await client.connect({ clientId, cleanStart: false, properties: { sessionExpiryInterval: 100 } });
  return client;
}

const HOOKS = {
  none: {},
  // Plugins that look at messages: the topic is looked up anew.
  publish: { publish: (_client: unknown, message: object) => ({ ...message }) as never },
};

test.each(Object.entries(HOOKS))(
  "each listener has its own limits (plugins that change messages: %s)",
  async (_, hooks) => {
    const fixture = await startBroker({ listeners: LISTENERS, limits: BROKER, hooks });
    const watcher = await join(fixture, "wide", "watcher");
    await watcher.subscribe("#", { qos: 1 });
    // What one listener takes stays too much for another, although the broker knows the name by then.
    for (const listener of ["wide", "usual", "tight"] as const) {
      const { good, bad } = TOPICS[listener];
      const client = await join(fixture, listener);
      expect((await client.subscribe([...good, ...bad])).reasonCodes).toEqual([
        ...good.map(() => 0),
        ...bad.map(() => 0x8f),
      ]);
      await client.unsubscribe(...good);
      for (const topic of good) {
        expect(await client.publish(topic, "x", { qos: 1 })).toBe(0);
        await watcher.take(topic, "x");
      }
      for (const topic of bad) {
        const other = await join(fixture, listener, "other");
        other.send(other.publishPacket(topic, "x", { qos: 1, properties: { topicAlias: 1 } }));
        expect((await other.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x90 });
      }
      await watcher.expectNothing();
      await client.disconnect();
    }
    await fixture.stop();
  },
);

test("limits that change while the broker runs hold for clients that come later, and for the broker's own messages", async () => {
  const fixture = await startBroker({ listeners: LISTENERS, limits: BROKER });
  const client = await join(fixture, "usual");
  const deep = "a/b/c/d/e/f";
  expect(() => fixture.broker.publish(deep, "x")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
  fixture.broker.setLimits({ maxTopicLevels: 6 });
  fixture.broker.publish(deep, "x");
  const later = await join(fixture, "usual", "later");
  expect(await later.publish(deep, "x", { qos: 1 })).toBe(0x10);
  fixture.broker.setLimits({ maxTopicLevels: 2 });
  expect(() => fixture.broker.publish(deep, "x")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
  client.send(client.publishPacket(deep, "x", { qos: 1 }));
  expect((await client.lastWords()).at(-1)).toMatchObject({ type: "disconnect", reasonCode: 0x90 });
  await fixture.stop();
});

test("what was taken within the limits of then is there after a restart with other ones", async () => {
  const store = new MemoryStore();
  const first = await startBroker({ listeners: LISTENERS, limits: BROKER, store });
  const sub = await join(first, "wide", "sub");
  await sub.subscribe("#", { qos: 1 });
  await sub.cut();
  const pub = await join(first, "wide", "pub");
  for (const topic of TOPICS.wide.good) await pub.publish(topic, "kept", { qos: 1, retain: true });
  await first.stop();
  const second = await startBroker({ listeners: LISTENERS, limits: { maxTopicLength: 5, maxTopicLevels: 1 }, store });
  const again = await join(second, "wide", "sub");
  for (const topic of TOPICS.wide.good) await again.take(topic, "kept");
  await again.subscribe("#", { qos: 1 });
  expect((await again.rest()).length).toBe(TOPICS.wide.good.length);
  await second.stop();
});
