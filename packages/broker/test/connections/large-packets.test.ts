// Packets that are passed on without a copy as far as the system takes them, over real sockets.
import { createHash } from "node:crypto";
import { MemoryStore } from "@wrenmq/store";
import { FaultyStore } from "@wrenmq/store/testing";
import { expect, test } from "vitest";
import { createBroker } from "../../src/index.ts";
import { dialTcp, pluginOf, RawClient, RealPace } from "../support.ts";

const COUNT = 120;
const open = pluginOf("open", { authenticate: () => true });
const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** Sizes on both sides of every bound: copied and passed on, whole in a read and in parts. */
const payloads = Array.from({ length: COUNT }, (_, number) => {
  const sizes = [10, 20_000, 32_700, 33_000, 65_536, 70_000, 150_000, 270_000, 600_000];
  return new Uint8Array(sizes[(number * 5) % sizes.length] as number).map((_byte, at) => (at * 7 + number) & 0xff);
});

test.each([0, 1, 2] as const)("QoS %i: readers and one that pauses get every byte, in order", async (qos) => {
  const broker = createBroker({
    listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
    plugins: [open],
    limits: { highWater: 256 * 1024 * 1024 },
  });
  await broker.start();
  const dial = async (version: 4 | 5, clientId: string): Promise<RawClient> => {
    const pace = new RealPace();
    const client = new RawClient(await dialTcp("127.0.0.1", broker.port("tcp") as number), version, pace);
    await client.connect({ clientId });
    return client;
  };
  const readers = [await dial(4, "three"), await dial(5, "five"), await dial(4, "pausing"), await dial(5, "nought")];
  for (const reader of readers) await reader.subscribe("large/#", { qos: reader === readers[3] ? 0 : qos });
  const publisher = await dial(4, "publisher");
  readers[2]?.freeze();
  for (const [number, payload] of payloads.entries()) {
    if (number === COUNT / 2) readers[2]?.thaw();
    await publisher.publish(`large/${number}`, payload, { qos });
  }
  const expected = payloads.map((payload, number) => `large/${number} ${digest(payload)}`);
  for (const reader of readers) {
    const got: string[] = [];
    while (got.length < COUNT) {
      const publish = await reader.expect("publish");
      got.push(`${publish.topic} ${digest(publish.payload)}`);
      await reader.acknowledge(publish);
    }
    expect(got).toEqual(expected);
  }
  for (const client of [publisher, ...readers]) client.destroy();
  await broker.shutdown();
});

test("a large message does not overtake one that waits until it is durable", async () => {
  const store = new FaultyStore(new MemoryStore());
  const broker = createBroker({
    listeners: { tcp: { type: "tcp", host: "127.0.0.1", port: 0 } },
    plugins: [open],
    store,
  });
  await broker.start();
  const dial = async (): Promise<RawClient> =>
    new RawClient(await dialTcp("127.0.0.1", broker.port("tcp") as number), 5, new RealPace());
  const [client, publisher] = [await dial(), await dial()];
  await client.connect({ clientId: "lasting", properties: { sessionExpiryInterval: 60 } });
  await client.subscribe("t", { qos: 1 });
  await publisher.connect();
  store.holdCommits();
  broker.publish("t", "small", { qos: 1 });
  while (store.heldCommits === 0) await new Promise((resolve) => setImmediate(resolve));
  await publisher.publish("t", "x".repeat(100_000));
  await publisher.expectAlive();
  store.releaseCommits();
  expect([await client.expect("publish"), await client.expect("publish")].map(({ qos }) => qos)).toEqual([1, 0]);
  for (const one of [client, publisher]) one.destroy();
  await broker.shutdown();
});
