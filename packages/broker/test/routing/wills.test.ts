import { MemoryStore } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { describe, expect, test } from "vitest";
import { MemoryLogger, startBroker } from "../support.ts";

const will = (topic: string) => ({ topic, payload: new Uint8Array(1), qos: 1, retain: false }) as const;

describe("a will that could never be published is refused with its CONNECT", () => {
  test.each([
    ["more levels than allowed", "a/b/c/d", { maxTopicLevels: 3 }],
    ["longer than allowed", "abcdefghijk", { maxTopicLength: 10 }],
  ] as const)("%s", async (_name, topic, limits) => {
    const fixture = await startBroker({
      listeners: { memory: { type: "external", limits } },
    });
    for (const [version, reasonCode] of [
      [5, 0x90],
      [4, 2],
      [3, 2],
    ] as const) {
      const client = fixture.open(version);
      client.send(client.connectPacket({ clientId: `v${version}`, will: will(topic) }));
      const [connack] = await client.lastWords();
      expect(connack).toMatchObject({ type: "connack", sessionPresent: false });
      // RawClient reads a return code of MQTT 3 as the reason code that it stands for.
      if (version === 5) expect(connack).toMatchObject({ reasonCode });
      else expect(client.history[0]?.bytes).toEqual(new Uint8Array([0x20, 2, 0, reasonCode]));
      await fixture.connect(version, { clientId: `v${version}`, will: will("fits") });
    }
    await fixture.stop();
  });
});

test("a will to $SYS does not keep its client out, is never published, and is mentioned at debug", async () => {
  const logger = new MemoryLogger();
  const fixture = await startBroker({ logger });
  const sub = await fixture.connect(5, { clientId: "sub" });
  await sub.subscribe("$SYS/#", { qos: 1 });
  const bridge = await fixture.connect(4, { clientId: "bridge", will: will("$SYS/broker/anything") });
  await bridge.cut();
  await sub.expectNothing();
  const lines = logger.lines.filter(({ message }) => message.includes("$SYS"));
  expect(lines).toMatchObject([{ level: "debug", fields: { clientId: "bridge", topic: "$SYS/broker/anything" } }]);
  expect(fixture.broker.metrics()["droppedNotAuthorized"]).toBe(1);
  await fixture.stop();
});

test("a store that refuses facts when a will is due loses it no more than anything else", async () => {
  const store = new FaultyStore(new MemoryStore());
  const fixture = await startBroker({ store });
  const lasting = await fixture.connect(5, { clientId: "lasting", properties: { sessionExpiryInterval: 60 } });
  await lasting.subscribe("w", { qos: 1 });
  const other = await fixture.connect(5, { clientId: "other" });
  await other.subscribe("w", { qos: 1 });
  const client = await fixture.connect(5, { clientId: "c", will: will("w") });
  store.failNext(1_000);
  await client.cut();
  await other.expect("publish", { topic: "w" });
  // It is sent to a session that lasts when the store has it.
  await lasting.expectNothing();
  store.failNext(0);
  await fixture.clock.advance(2_000);
  await lasting.expect("publish", { topic: "w" });
  expect(fixture.broker.metrics()).toMatchObject({ droppedStoreFull: 0, droppedNotAuthorized: 0 });
  await fixture.stop();
});
