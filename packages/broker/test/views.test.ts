import { describe, expect, test } from "vitest";
import packageJson from "../package.json" with { type: "json" };
import { VERSION } from "../src/index.ts";
import { startBroker, text } from "./support.ts";

describe("what an embedder can do and see", () => {
  test("publish reaches subscribers of any kind and says whether there are any", async () => {
    const fixture = await startBroker();
    const { broker } = fixture;
    const client = await fixture.connect(5);
    await client.subscribe("a/+", { qos: 2 });
    expect(broker.publish("nobody", "x")).toBe(false);
    expect(broker.publish("a/1", "text", { qos: 1, properties: { userProperties: [["k", "v"]] } })).toBe(true);
    expect(broker.publish("a/2", new Uint8Array([0x62]), { qos: 2 })).toBe(true);
    await client.take("a/1", "text", { qos: 1, properties: { userProperties: [["k", "v"]] } });
    await client.take("a/2", "b", { qos: 2 });
    for (const topic of ["", "a/#", "a+b", "nul\u0000"]) {
      expect(() => broker.publish(topic, "x")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
    }
    await fixture.stop();
  });

  test("the bytes that were published stay the caller's", async () => {
    const fixture = await startBroker();
    const payload = new Uint8Array([0x61]);
    fixture.broker.publish("t", payload, { retain: true });
    payload[0] = 0x62;
    expect([...fixture.broker.retained()].map((message) => text(message.payload))).toEqual(["a"]);
    await fixture.stop();
  });

  test("retain sets and clears without sending; expired ones are not shown and then forgotten", async () => {
    const fixture = await startBroker();
    const { broker, clock } = fixture;
    const client = await fixture.connect(5);
    await client.subscribe("#");
    broker.retain("a/1", "x");
    broker.retain("a/2", "y", { properties: { messageExpiryInterval: 10 } });
    broker.retain("b", "z");
    broker.retain("b", "");
    expect(await client.messages()).toEqual([]);
    const topics = (filter?: string): string[] => [...broker.retained(filter)].map(({ topic }) => topic);
    expect(topics()).toEqual(["a/1", "a/2"]);
    expect(topics("a/2")).toEqual(["a/2"]);
    expect(() => broker.retained("a/#/b")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
    await clock.advance(11_000);
    expect(topics("#")).toEqual(["a/1"]);
    await clock.advance(60_000);
    expect(broker.metrics()).toMatchObject({ retained: 1, retainedBytes: 4 });
    await fixture.stop();
  });

  test("subscribe and unsubscribe on behalf of clients, connected or never seen", async () => {
    const fixture = await startBroker({ session: { defaultExpiry: 100 } });
    const { broker, clock } = fixture;
    const client = await fixture.connect(5, { clientId: "here" });
    expect(broker.subscribe("here", "a", 1)).toBe(1);
    expect(broker.subscribe("absent", "a", 2)).toBe(2);
    expect(() => broker.subscribe("here", "a/#/b")).toThrow(expect.objectContaining({ code: "ERR_TOPIC_INVALID" }));
    broker.publish("a", "1", { qos: 2 });
    await client.take("a", "1", { qos: 1 });
    expect(broker.session("absent")).toMatchObject({ connected: false, queued: 1, expiryInterval: 100 });
    expect([...broker.subscriptions()]).toEqual([
      { clientId: "here", topicFilter: "a", qos: 1 },
      { clientId: "absent", topicFilter: "a", qos: 2 },
    ]);
    const absent = await fixture.connect(4, { clientId: "absent", cleanStart: false });
    await absent.take("a", "1", { qos: 2 });
    expect(broker.unsubscribe("absent", "a")).toBe(true);
    expect(broker.unsubscribe("absent", "a")).toBe(false);
    expect(broker.unsubscribe("unknown", "a")).toBe(false);
    broker.subscribe("forgotten", "a");
    await clock.advance(100_000);
    expect(broker.session("forgotten")).toBeUndefined();
    await fixture.stop();
  });

  test("disconnect and removeSession", async () => {
    const fixture = await startBroker();
    const { broker } = fixture;
    const connect = (clientId: string) => fixture.connect(5, { clientId, properties: { sessionExpiryInterval: 100 } });
    const first = await connect("first");
    expect(broker.disconnect("first", 0x9c, "use the other one")).toBe(true);
    expect((await first.lastWords()).at(-1)).toMatchObject({
      reasonCode: 0x9c,
      properties: { reasonString: "use the other one" },
    });
    expect(broker.disconnect("first")).toBe(false);
    expect(broker.session("first")?.connected).toBe(false);
    const second = await connect("second");
    await second.subscribe("a", { qos: 1 });
    expect(broker.removeSession("second")).toBe(true);
    expect((await second.lastWords()).at(-1)).toMatchObject({ reasonCode: 0x98 });
    expect(broker.removeSession("second")).toBe(false);
    expect([...broker.sessions()].map(({ clientId }) => clientId)).toEqual(["first"]);
    expect(broker.publish("a", "x")).toBe(false);
    await fixture.stop();
  });

  test("$SYS tells the version, and the numbers under the names asked for", async () => {
    expect(VERSION).toBe(packageJson.version);
    for (const [names, wanted, unwanted] of [
      ["amqtt", "clients/total", "publish/messages/received"],
      ["mosquitto", "publish/messages/received", "messages/publish/received"],
      ["both", "messages/publish/received", undefined],
    ] as const) {
      const fixture = await startBroker({ sys: { intervalSeconds: 5, names } });
      const client = await fixture.connect(5);
      await client.subscribe("$SYS/broker/#");
      const values = async (): Promise<Map<string, string>> =>
        new Map(
          (await client.rest()).flatMap((packet) =>
            packet.type === "publish" ? [[packet.topic.slice("$SYS/broker/".length), text(packet.payload)]] : [],
          ),
        );
      const first = await values();
      expect(first.get("version")).toBe(`WrenMQ version ${VERSION}`);
      expect([...first.keys()]).toContain(wanted);
      expect([...first.keys()]).not.toContain(unwanted);
      expect(first.get("messages/dropped/queueFull")).toBe("0");
      await client.publish("x", "1");
      await fixture.clock.advance(5_000);
      const second = await values();
      expect(second.get("clients/connected")).toBe("1");
      expect(second.get(names === "mosquitto" ? "publish/messages/received" : "messages/publish/received")).toBe("1");
      expect(second.has("version")).toBe(false);
      await fixture.stop();
      expect(fixture.clock.pendingTimers).toBe(0);
    }
  });
});
