// Topics that begin with `$`: whose they are, and who may publish to them.
import { type Action, definePlugin, type Hooks } from "@wrenmq/plugin-api";
import { describe, expect, test } from "vitest";
import { MemoryLogger, startBroker } from "../support.ts";

const will = (topic: string, payload = "0") =>
  ({ topic, payload: new TextEncoder().encode(payload), qos: 1, retain: true }) as const;
const serving = (...dollarTopics: string[]): Hooks => ({ dollarTopics });

describe("topics that begin with $ (section 4.7.2), by default", () => {
  test("are for clients to use between themselves, but for $SYS", async () => {
    const fixture = await startBroker();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("$other/#");
    const client = await fixture.connect(5, { clientId: "c" });
    expect(await client.publish("$other/a", "1", { qos: 1 })).toBe(0);
    expect(await sub.messages()).toEqual(["1"]);
    expect(await client.publish("$SYS/a", "1", { qos: 1 })).toBe(0x87);
    // Neither of these is in the server's tree.
    expect(await client.publish("$SYS", "1", { qos: 1 })).toBe(0x10);
    expect(await client.publish("$SYSTEM/a", "1", { qos: 1 })).toBe(0x10);
    await fixture.stop();
  });
});

describe("with dollarTopics: refuse", () => {
  const refusing = { dollarTopics: "refuse" } as const;

  test.each(["$", "$other/a", "$share/g/a", "$SYS", "$SYS/a", "$SYS/broker/connection/c/state"])(
    "%s is refused to clients of every version, and counted",
    async (topic) => {
      const fixture = await startBroker(refusing);
      const sub = await fixture.connect(5, { clientId: "sub" });
      await sub.subscribe("$other/#");
      await sub.subscribe("$SYS/#");
      const five = await fixture.connect(5, { clientId: "c", bridge: true });
      expect(await five.publish(topic, "1", { qos: 1 })).toBe(0x87);
      expect(await five.publish(topic, "1", { qos: 2 })).toBe(0x87);
      // MQTT 3 has no reason code: the message is acknowledged and dropped.
      const three = await fixture.connect(4, { clientId: "three" });
      expect(await three.publish(topic, "1", { qos: 1 })).toBe(0);
      await sub.expectNothing();
      expect(fixture.broker.metrics()["droppedNotAuthorized"]).toBe(3);
      await fixture.stop();
    },
  );

  test("so is a will, when it is due", async () => {
    const fixture = await startBroker(refusing);
    const client = await fixture.connect(5, { clientId: "c", will: will("$other/a") });
    await client.cut();
    expect([...fixture.broker.retained("$other/#")]).toEqual([]);
    expect(fixture.broker.metrics()["droppedNotAuthorized"]).toBe(1);
    await fixture.stop();
  });

  test("subscriptions, shared ones, the server and its plugins are not concerned, nor are others' topics", async () => {
    const fixture = await startBroker(refusing);
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("$share/g/a/$b");
    await sub.subscribe("$other/#");
    const client = await fixture.connect(5, { clientId: "c" });
    expect(await client.publish("a/$b", "1", { qos: 1 })).toBe(0);
    fixture.broker.publish("$other/a", "2");
    expect(await sub.messages()).toEqual(["1", "2"]);
    await fixture.stop();
  });

  test("a plugin's own stay open, as far as the access rules allow", async () => {
    const asked: string[] = [];
    const authorize = (_client: unknown, action: Action, topic: string): boolean => {
      if (action === "publish") asked.push(topic);
      return topic !== "$mine/b";
    };
    const fixture = await startBroker({ ...refusing, hooks: { ...serving("$mine/#"), authorize } });
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("$mine/#");
    const client = await fixture.connect(5, { clientId: "c" });
    expect(await client.publish("$mine/a", "1", { qos: 1 })).toBe(0);
    expect(await client.publish("$mine/b", "2", { qos: 1 })).toBe(0x87);
    expect(await client.publish("$yours/a", "3", { qos: 1 })).toBe(0x87);
    expect(asked).toEqual(["$mine/a", "$mine/b"]);
    expect(await sub.messages()).toEqual(["1"]);
    await fixture.stop();
  });

  test("also where the plugin decides nothing on the client's listener; never $SYS", async () => {
    const mine = definePlugin({ name: "mine", hooks: () => serving("$mine/#", "$SYS/#") })();
    const listeners = { memory: { type: "external", plugins: ["test"] } } as const;
    const all = definePlugin({ name: "test", hooks: () => ({ authenticate: () => true }) })();
    const fixture = await startBroker({ ...refusing, listeners, plugins: [all, mine] });
    const client = await fixture.connect(5);
    expect(await client.publish("$mine/a", "1", { qos: 1 })).toBe(0x10);
    expect(await client.publish("$SYS/a", "1", { qos: 1 })).toBe(0x87);
    await fixture.stop();
  });
});

describe("$SYS/broker/connection/…/state of a bridge", () => {
  const STATE = "$SYS/broker/connection/hub.bridge/state";

  test.each([3, 4, 5] as const)("is taken and kept (version %i), and its will when it is gone", async (version) => {
    const fixture = await startBroker();
    const sub = await fixture.connect(5, { clientId: "sub" });
    await sub.subscribe("$SYS/broker/connection/+/state");
    const bridge = await fixture.connect(version, { clientId: "hub.bridge", bridge: true, will: will(STATE) });
    await bridge.publish(STATE, "1", { qos: 1, retain: true });
    expect(await sub.messages()).toEqual(["1"]);
    expect([...fixture.broker.retained("$SYS/#")].map(({ topic }) => topic)).toEqual([STATE]);
    await bridge.cut();
    expect(await sub.messages()).toEqual(["0"]);
    await fixture.stop();
  });

  test.each<[string, { readonly clientId: string; readonly bridge?: true }, string, string]>([
    [
      "a client that does not say that it is a bridge",
      { clientId: "hub.bridge" } as { clientId: string; bridge?: true },
      STATE,
      "1",
    ],
    ["the state of another bridge", { clientId: "other", bridge: true }, STATE, "1"],
    ["a topic below it", { clientId: "hub.bridge", bridge: true }, `${STATE}/a`, "1"],
    ["a topic of the server", { clientId: "hub.bridge", bridge: true }, "$SYS/broker/version", "1"],
    ["more than one level", { clientId: "a/b", bridge: true }, "$SYS/broker/connection/a/b/state", "1"],
    ["more than a state", { clientId: "hub.bridge", bridge: true }, STATE, "11"],
  ])("is nothing else: %s", async (_name, options, topic, payload) => {
    const logger = new MemoryLogger();
    const fixture = await startBroker({ logger });
    const client = await fixture.connect(5, options);
    expect(await client.publish(topic, payload, { qos: 1, retain: true })).toBe(0x87);
    expect([...fixture.broker.retained("$SYS/#")]).toEqual([]);
    const said = logger.lines.filter(({ message }) => message === "publish refused");
    expect(said).toMatchObject([{ level: "debug", fields: { clientId: options.clientId, topic } }]);
    await fixture.stop();
  });

  test("has no room for user properties either", async () => {
    const fixture = await startBroker();
    const bridge = await fixture.connect(5, { clientId: "hub.bridge", bridge: true });
    const properties = { userProperties: [["a", "x".repeat(2_000)]] as [string, string][] };
    expect(await bridge.publish(STATE, "1", { qos: 1, retain: true, properties })).toBe(0x87);
    await fixture.stop();
  });

  test("counts as retained, and the access rules are asked", async () => {
    const fixture = await startBroker({
      limits: { maxRetainedMessages: 1 },
      hooks: { authorize: ({ clientId }, action) => action !== "publish" || clientId !== "denied" },
    });
    const state = async (clientId: string): Promise<number> => {
      const client = await fixture.connect(5, { clientId, bridge: true });
      return client.publish(`$SYS/broker/connection/${clientId}/state`, "1", { qos: 1, retain: true });
    };
    expect(await state("denied")).toBe(0x87);
    expect(await state("one")).toBe(0x10);
    expect(await state("two")).toBe(0x97);
    await fixture.stop();
  });
});

test("explain says whose a topic is that nobody may publish to", async () => {
  const fixture = await startBroker({ dollarTopics: "refuse", hooks: serving("$mine/#") });
  const of = async (topic: string, action: Action = "publish"): Promise<(string | undefined)[]> =>
    (await fixture.broker.explain({ client: "c", action, topic })).map(({ plugin, rule }) => `${plugin}: ${rule}`);
  expect(await of("$SYS/a")).toEqual(["broker: $SYS is the server's own"]);
  expect(await of("$other/a")).toEqual(["broker: dollar_topics: refuse"]);
  expect(await of("$other/a", "receive")).toEqual([]);
  expect(await of("$mine/a")).toEqual([]);
  await fixture.stop();
});
