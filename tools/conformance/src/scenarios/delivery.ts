// The server as sender: packet identifiers, acknowledgements, and what a client receives after it has reconnected.
import type { RawClient } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { eachEnds, ensure, equal } from "../wire.ts";
import type { World } from "../world.ts";
import { lasting } from "./session.ts";

async function subscriberOf(world: World, qos: 0 | 1 | 2 = 2): Promise<RawClient> {
  const client = await world.connect(lasting(world, "sub"));
  await client.subscribe(world.t("d"), { qos });
  return client;
}

async function publish(world: World, qos: 0 | 1 | 2, ...payloads: string[]): Promise<void> {
  const publisher = await world.connect();
  for (const payload of payloads) await publisher.publish(world.t("d"), payload, { qos });
  await publisher.disconnect();
}

async function back(world: World): Promise<RawClient> {
  const client = await world.open();
  equal((await client.connect(lasting(world, "sub"))).sessionPresent, true, "Session Present");
  return client;
}

export const delivery: readonly Check[] = [
  {
    title: "deliveries that are not acknowledged have identifiers of their own, none of them 0",
    v4: "2.3.1-1 2.3.1-4 4.3.2-1 4.3.3-1",
    v5: "2.2.1-4 4.3.2-1 4.3.3-1",
    async run(world) {
      const subscriber = await subscriberOf(world);
      const identifiers = new Set<number>();
      await publish(world, 1, ..."abcde");
      await publish(world, 2, ..."fghij");
      for (let index = 0; index < 10; index++) {
        const { packetId = 0, dup } = await subscriber.expect("publish");
        equal(dup, false, "DUP");
        identifiers.add(packetId);
      }
      equal(identifiers.size, 10, "identifiers");
      equal(identifiers.has(0), false, "identifier 0");
    },
  },
  {
    title: "identifiers stay free of those in flight when they begin again after 65,535",
    v4: "2.3.1-4",
    v5: "2.2.1-4",
    ownOnly: true,
    async run(world) {
      const subscriber = await subscriberOf(world);
      await publish(world, 1, "held");
      const held = await subscriber.expect("publish");
      const publisher = await world.connect();
      let last = held.packetId ?? 0;
      let wraps = 0;
      let count = 0;
      const read = async (): Promise<void> => {
        for (const packet of await subscriber.rest()) {
          if (packet.type !== "publish") continue;
          const { packetId = 0 } = packet;
          if (packetId === held.packetId) ensure(last === 65_535, "an identifier in flight was used again");
          if (packetId < last) wraps++;
          last = packetId;
          count++;
          subscriber.send({ type: "puback", packetId, reasonCode: 0 });
        }
        subscriber.forget();
      };
      for (let batch = 0; batch < 70; batch++) {
        publisher.send(...Array.from({ length: 950 }, () => publisher.publishPacket(world.t("d"), "", { qos: 1 })));
        await read();
        publisher.forget();
      }
      // All identifiers but one have been used since: the next message has to wait for it.
      equal(count, 65_534, "messages before");
      subscriber.send({ type: "puback", packetId: held.packetId ?? 0, reasonCode: 0 });
      await read();
      equal(count, 70 * 950, "messages after");
      equal(wraps, 1, "times the identifiers began again");
    },
  },
  {
    title: "what was not acknowledged comes again with DUP and its old identifier, in the first order",
    v4: "3.3.1-1 4.4.0-1 4.3.2-1 4.6.0-6 2.3.1-4",
    v5: "3.3.1-1 4.4.0-1 4.3.2-3 4.3.3-3",
    async run(world) {
      const first = await subscriberOf(world);
      await publish(world, 1, "a", "b");
      await publish(world, 2, "c");
      await publish(world, 1, "d");
      const identifiers: (number | undefined)[] = [];
      for (let index = 0; index < 4; index++)
        identifiers.push((await first.expect("publish", { dup: false })).packetId);
      first.send({ type: "puback", packetId: identifiers[1] ?? 0, reasonCode: 0 });
      // Nothing is sent again while the connection lasts.
      await world.advance(3_000);
      await first.expectNothing();
      await first.cut();
      const second = await back(world);
      for (const index of [0, 2, 3]) {
        const packetId = identifiers[index] ?? 0;
        const again = await second.expect("publish", { dup: true, packetId });
        equal(new TextDecoder().decode(again.payload), "abcd"[index], "payload");
        await second.acknowledge(again);
      }
      await second.expectNothing();
      await second.disconnect();
      await (await back(world)).expectNothing();
    },
  },
  {
    title: "after PUBREC only PUBREL comes again",
    v4: "4.3.3-1 4.4.0-1 2.3.1-6",
    v5: "4.3.3-4 4.3.3-5 4.3.3-6 4.4.0-1 2.2.1-5 3.6.2-1",
    async run(world) {
      const first = await subscriberOf(world);
      await publish(world, 2, "once");
      const { packetId = 0 } = await first.expect("publish", { qos: 2 });
      first.send({ type: "pubrec", packetId, reasonCode: 0 });
      const { bytes } = await first.receive();
      equal(Array.from(bytes.subarray(0, 4)), [0x62, 2, packetId >> 8, packetId & 0xff], "PUBREL");
      await first.cut();
      const second = await back(world);
      await second.expect("pubrel", { packetId, reasonCode: 0 });
      await second.expectNothing();
      // A PUBREC that comes again is answered again.
      second.send({ type: "pubrec", packetId, reasonCode: 0 });
      await second.expect("pubrel", { packetId });
      second.send({ type: "pubcomp", packetId, reasonCode: 0 });
      await second.expectNothing();
      await second.cut();
      await (await back(world)).expectNothing();
    },
  },
  {
    title: "PUBRELs come again in the order of the PUBRECs' messages, before anything else",
    v4: "4.6.0-6",
    v5: "4.3.3-5",
    async run(world) {
      const first = await subscriberOf(world);
      await publish(world, 2, "a", "b", "c");
      const ids = [];
      for (let index = 0; index < 3; index++) ids.push((await first.expect("publish")).packetId ?? 0);
      for (const packetId of ids.slice(0, 2)) {
        first.send({ type: "pubrec", packetId, reasonCode: 0 });
        await first.expect("pubrel", { packetId });
      }
      await first.cut();
      const second = await back(world);
      await second.expect("pubrel", { packetId: ids[0] ?? 0 });
      await second.expect("pubrel", { packetId: ids[1] ?? 0 });
      await second.expect("publish", { packetId: ids[2] ?? 0, dup: true });
    },
  },
  {
    title: "a refusal by the client settles a message for good",
    v5: "4.4.0-2 4.3.3-4",
    async run(world) {
      const first = await subscriberOf(world);
      await publish(world, 1, "a");
      await publish(world, 2, "b");
      const one = (await first.expect("publish")).packetId ?? 0;
      const two = (await first.expect("publish")).packetId ?? 0;
      first.send(
        { type: "puback", packetId: one, reasonCode: 0x80 },
        { type: "pubrec", packetId: two, reasonCode: 0x97 },
      );
      await first.expectNothing();
      await first.cut();
      await (await back(world)).expectNothing();
    },
  },
  {
    title: "an acknowledgement that does not fit the QoS of its message ends the connection",
    v4: "4.8.0-1",
    v5: "4.13.1-1",
    ownOnly: true,
    async run(world) {
      for (const [qos, wrong] of [
        [1, "pubrec"],
        [1, "pubcomp"],
        [2, "puback"],
        [2, "pubcomp"],
      ] as const) {
        const client = await world.connect(lasting(world, "sub"));
        await client.subscribe(world.t("d"), { qos: 2 });
        await publish(world, qos, "x");
        const { packetId = 0 } = await client.expect("publish");
        client.send({ type: wrong, packetId, reasonCode: 0 });
        const words = await client.lastWords();
        equal(
          words.map((packet) => ("reasonCode" in packet ? packet.reasonCode : -1)),
          world.version === 5 ? [0x82] : [],
          "last words",
        );
        await (await world.connect({ clientId: world.id("sub"), cleanStart: true })).disconnect();
      }
    },
  },
  {
    title: "a message has the lower QoS of publisher and subscription",
    v4: "3.8.4-6",
    v5: "3.8.4-8",
    async run(world) {
      for (const granted of [0, 1, 2] as const) {
        const client = await world.connect({ clientId: world.id("sub") });
        equal((await client.subscribe(world.t("d"), { qos: granted })).reasonCodes, [granted], "granted");
        for (const qos of [0, 1, 2] as const) {
          await publish(world, qos, `${qos}`);
          await client.take(world.t("d"), `${qos}`, { qos: Math.min(qos, granted) as 0 | 1 | 2 });
        }
        await client.expectNothing();
        await client.disconnect();
      }
    },
  },
  {
    title: "with drop-old the oldest messages of a full queue are dropped and counted",
    v4: "",
    v5: "",
    broker: { limits: { maxQueuedMessages: 2, maxInflight: 1, overflow: "drop-old" } },
    async run(world) {
      const away = await subscriberOf(world, 1);
      await away.disconnect();
      await publish(world, 1, "a", "b", "c", "d");
      const client = await back(world);
      await client.take(world.t("d"), "c");
      await client.take(world.t("d"), "d");
      await client.expectNothing();
      equal(world.own?.broker.metrics()["droppedQueueFull"], 2, "dropped");
    },
  },
  {
    title: "with drop-new the newest messages are dropped",
    v4: "",
    v5: "",
    broker: { limits: { maxQueuedMessages: 2, overflow: "drop-new" } },
    async run(world) {
      const away = await subscriberOf(world, 1);
      await away.disconnect();
      await publish(world, 1, "a", "b", "c", "d");
      const client = await back(world);
      await client.take(world.t("d"), "a");
      await client.take(world.t("d"), "b");
      await client.expectNothing();
    },
  },
  {
    title: "with back-pressure a publisher waits for its acknowledgement until the subscriber has caught up",
    v4: "",
    v5: "",
    broker: { limits: { maxQueuedMessages: 2, maxInflight: 1, overflow: "backpressure" } },
    async run(world) {
      const client = await subscriberOf(world, 1);
      const publisher = await world.connect();
      const packets = ["a", "b", "c", "d", "e"].map((payload) =>
        publisher.publishPacket(world.t("d"), payload, { qos: 1 }),
      );
      publisher.send(...packets);
      const early = await publisher.rest();
      ensure(early.length < 5, "all was acknowledged at once");
      for (const payload of ["a", "b", "c", "d", "e"]) await client.take(world.t("d"), payload);
      const late = await publisher.rest();
      equal(
        [...early, ...late].map((packet) => (packet.type === "puback" ? packet.packetId : 0)),
        [1, 2, 3, 4, 5],
        "PUBACKs in order",
      );
    },
  },
  {
    title: "a slow subscriber holds nobody else up",
    v4: "",
    v5: "",
    ownOnly: true,
    async run(world) {
      const slow = await world.connect({ clientId: "slow" });
      await slow.subscribe(world.t("d"));
      const quick = await world.connect({ clientId: "quick" });
      await quick.subscribe(world.t("d"));
      slow.freeze();
      const publisher = await world.connect();
      for (let index = 0; index < 100; index++) {
        await publisher.publish(world.t("d"), String(index).padEnd(100_000));
        await quick.expect("publish");
      }
      await publisher.expectAlive();
      ensure((world.own?.broker.metrics()["droppedBlocked"] ?? 0) > 0, "nothing was dropped for the slow one");
      slow.thaw();
      ensure((await slow.messages()).length > 0, "nothing came");
      await publisher.publish(world.t("d"), "again");
      await slow.take(world.t("d"), "again");
    },
  },
  {
    title: "acknowledgements of what was never sent are ignored or end the connection, and nothing breaks",
    v4: "",
    v5: "",
    async run(world) {
      const client = await world.connect();
      client.send("40 02 ff ff", "70 02 ff ff");
      await client.expectAlive();
      await eachEnds(world, ["40 02 00 00", "50 02 00 00", "62 02 00 00", "70 02 00 00"]);
    },
  },
];
