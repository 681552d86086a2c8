// What a restart means to those who wait: time goes on while the broker is down, and nobody loses his place.
import type { PublishPacket } from "@wrenmq/codec";
import { text } from "@wrenmq/testkit";
import { expect, test } from "vitest";
import { Lives, lasting } from "./lives.ts";

test("session expiry goes on while the broker is down", async () => {
  const lives = new Lives();
  await lives.start();
  const brief = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };
  for (const clientId of ["soon", "later"]) await (await lives.client(clientId, brief)).client.disconnect();
  await lives.clock.advance(20_000);
  await lives.restart(20_000);
  await lives.clock.advance(10_000);
  expect((await lives.client("later", brief)).connack.sessionPresent).toBe(true);
  await lives.clock.advance(15_000);
  expect((await lives.client("soon", brief)).connack.sessionPresent).toBe(false);
});

test("message expiry goes on while the broker is down, and what is left of it is said", async () => {
  const lives = new Lives();
  await lives.start();
  const { client: subscriber } = await lives.client("s", lasting);
  await subscriber.subscribe("a/#", { qos: 1 });
  await subscriber.disconnect();
  const { client: publisher } = await lives.client("p");
  await publisher.publish("a/short", "x", { qos: 1, properties: { messageExpiryInterval: 30 } });
  await publisher.publish("a/long", "y", { qos: 1, properties: { messageExpiryInterval: 100 } });
  await publisher.publish("a/kept", "z", { qos: 1, retain: true, properties: { messageExpiryInterval: 30 } });
  await lives.restart(40_000);
  const { client } = await lives.client("s", lasting);
  const packets = await client.rest();
  expect(packets.map((packet) => (packet as PublishPacket).topic)).toEqual(["a/long"]);
  const left = (packets[0] as PublishPacket).properties?.messageExpiryInterval;
  expect(left).toBeGreaterThan(50);
  expect(left).toBeLessThanOrEqual(60);
  await client.subscribe("a/kept", { qos: 1 });
  await client.expectNothing();
});

test("a will's delay goes on while the broker is down", async () => {
  const lives = new Lives();
  await lives.start();
  const { client: witness } = await lives.client("witness", lasting);
  await witness.subscribe("w/#", { qos: 1 });
  await witness.disconnect();
  for (const [clientId, willDelayInterval] of [
    ["a", 30],
    ["b", 100],
  ] as const) {
    const will = { topic: `w/${clientId}`, payload: new Uint8Array(1), qos: 1, retain: false } as const;
    const { client } = await lives.client(clientId, {
      ...lasting,
      will: { ...will, properties: { willDelayInterval } },
    });
    await client.cut();
  }
  await lives.restart(40_000);
  const { client } = await lives.client("witness", lasting);
  const topics = async () => (await client.rest()).map((packet) => (packet as PublishPacket).topic);
  expect(await topics()).toEqual(["w/a"]);
  await lives.clock.advance(50_000);
  expect(await topics()).toEqual([]);
  await lives.clock.advance(20_000);
  expect(await topics()).toEqual(["w/b"]);
});

test("what was in flight comes again with DUP, the same identifiers and in the same order, then the rest", async () => {
  const lives = new Lives();
  await lives.start();
  const narrow = { ...lasting, properties: { ...lasting.properties, receiveMaximum: 4 } };
  const { client: subscriber } = await lives.client("s", narrow);
  await subscriber.subscribe("a", { qos: 2 });
  const { client: publisher } = await lives.client("p");
  for (let i = 0; i < 8; i++) await publisher.publish("a", `${i}`, { qos: i % 2 === 0 ? 1 : 2 });
  const publishes = (packets: readonly { type: string }[]) =>
    packets.flatMap((packet) => (packet.type === "publish" ? [packet as PublishPacket] : []));
  const first = publishes(await subscriber.rest());
  expect(first.map(({ payload }) => text(payload))).toEqual(["0", "1", "2", "3"]);
  await lives.restart(1_000);
  const { client } = await lives.client("s", narrow);
  const again = publishes(await client.rest());
  expect(again).toEqual(first.map((packet) => ({ ...packet, dup: true })));
  for (const packet of again)
    client.send({ type: packet.qos === 1 ? "puback" : "pubrec", packetId: packet.packetId as number, reasonCode: 0 });
  const rest = publishes(await client.rest());
  expect(rest.map(({ payload, dup }) => `${text(payload)} ${dup}`)).toEqual(["4 false", "5 false"]);
});

test("a queue of several pages comes whole and in order after a restart", async () => {
  const lives = new Lives();
  await lives.start();
  const { client: subscriber } = await lives.client("s", lasting);
  await subscriber.subscribe("a", { qos: 1 });
  await subscriber.disconnect();
  // MQTT 3.1.1: no limit to what may be in flight.
  const { client: publisher } = await lives.client("p", {}, 4);
  const all = Array.from({ length: 3_500 }, (_, i) => `${i}`);
  for (const payload of all) publisher.send(publisher.publishPacket("a", payload, { qos: 1 }));
  await publisher.rest();
  await lives.restart(0);
  const { client } = await lives.client("s", lasting);
  const came: string[] = [];
  for (let left = 200; left > 0 && came.length < all.length; left--) {
    for (const packet of await client.rest()) {
      if (packet.type !== "publish") continue;
      came.push(text(packet.payload));
      client.send({ type: "puback", packetId: packet.packetId as number, reasonCode: 0 });
    }
  }
  expect(came).toEqual(all);
});
