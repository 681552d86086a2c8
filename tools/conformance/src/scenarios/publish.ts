// PUBLISH from a client: its form, the acknowledgement that its QoS demands, and duplicates.
import type { QoS } from "@wrenmq/codec";
import type { Check } from "../check.ts";
import { eachEnds, ends, ensure, equal, field, frame, ILL_FORMED, noProperties } from "../wire.ts";
import { lasting } from "./session.ts";

const LEVELS = [0, 1, 2] as const;

export const publish: readonly Check[] = [
  {
    title: "the answer follows from the QoS, with the identifier of the PUBLISH",
    v4: "3.3.4-1 2.3.1-6 4.3.2-2 4.3.3-2",
    v5: "3.3.4-1 2.2.1-5 4.3.2-4 4.3.3-8 4.3.3-11",
    async run(world) {
      const client = await world.connect();
      client.send(client.publishPacket(world.t("a"), "0"));
      await client.expectNothing();
      for (const packetId of [1, 255, 256, 4_660, 65_535]) {
        client.send(client.publishPacket(world.t("a"), "1", { qos: 1, packetId }));
        await client.expect("puback", { packetId });
        client.send(client.publishPacket(world.t("a"), "2", { qos: 2, packetId }));
        await client.expect("pubrec", { packetId });
        client.send({ type: "pubrel", packetId, reasonCode: 0 });
        await client.expect("pubcomp", { packetId, reasonCode: 0 });
      }
      await client.expectNothing();
    },
  },
  {
    title: "messages reach subscribers with QoS, identifier and no DUP or RETAIN, byte for byte",
    v4: "2.3.1-5 3.3.1-2 4.3.1-1 3.3.2-1",
    v5: "2.2.1-2 2.2.2-1 3.3.1-2 4.3.1-1 4.3.2-2 4.3.3-2 3.3.2-1",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("b"), { qos: 2 });
      const publisher = await world.connect();
      const topic = field(world.t("b"));
      for (const qos of LEVELS) {
        await publisher.publish(world.t("b"), "!", { qos });
        const { bytes, packet } = await subscriber.receive();
        ensure(packet.type === "publish", "a PUBLISH");
        const id = packet.packetId ?? 0;
        const expected = frame(
          0x30 | (qos << 1),
          topic,
          qos === 0 ? "" : Uint8Array.of(id >> 8, id & 0xff),
          noProperties(world),
          "21",
        );
        equal(Array.from(bytes), Array.from(expected), `bytes at QoS ${qos}`);
        equal(id > 0, qos > 0, "identifier");
      }
    },
  },
  {
    title: "DUP of the publisher goes no further",
    v4: "3.3.1-3",
    v5: "3.3.1-3",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"), { qos: 2 });
      const publisher = await world.connect();
      for (const qos of [1, 2] as const) {
        await publisher.publish(world.t("a"), "again?", { qos, dup: true });
        await subscriber.take(world.t("a"), "again?", { dup: false, qos });
      }
    },
  },
  {
    title: "after its PUBACK an identifier means a new message, whatever DUP says",
    v4: "4.3.2-2 2.3.1-3",
    v5: "4.3.2-5",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "1", { qos: 1, packetId: 7 });
      await publisher.publish(world.t("a"), "2", { qos: 1, packetId: 7, dup: true });
      await subscriber.take(world.t("a"), "1");
      await subscriber.take(world.t("a"), "2");
      await subscriber.expectNothing();
    },
  },
  {
    title: "until PUBREL a QoS 2 PUBLISH is acknowledged again, not delivered again; after PUBCOMP it is new",
    v4: "4.3.3-2",
    v5: "4.3.3-10 4.3.3-12",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"), { qos: 2 });
      const publisher = await world.connect();
      for (const round of ["first", "second"]) {
        for (const dup of [false, true, true]) {
          publisher.send(publisher.publishPacket(world.t("a"), round, { qos: 2, packetId: 5, dup }));
          await publisher.expect("pubrec", { packetId: 5 });
        }
        publisher.send({ type: "pubrel", packetId: 5, reasonCode: 0 });
        await publisher.expect("pubcomp", { packetId: 5 });
      }
      await subscriber.take(world.t("a"), "first", { qos: 2 });
      await subscriber.take(world.t("a"), "second", { qos: 2 });
      await subscriber.expectNothing();
    },
  },
  {
    title: "PUBREL for an identifier that is not known is answered, in MQTT 5.0 with 0x92",
    v4: "4.3.3-2",
    v5: "3.7.2-1 4.3.3-11",
    async run(world) {
      const client = await world.connect();
      client.send("62 02 00 09");
      if (world.version === 4) await client.expectHex("70 02 00 09");
      else await client.expect("pubcomp", { packetId: 9, ...(world.own ? { reasonCode: 0x92 } : {}) });
    },
  },
  {
    title: "on a connection that resumed a session an identifier that is not known is no error",
    v4: "4.3.3-2",
    v5: "3.6.2-1 3.7.2-1 4.3.3-11",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.publish(world.t("a"), "x", { qos: 2, packetId: 9 });
      await first.cut();
      const second = await world.open();
      equal((await second.connect(lasting(world, "me"))).sessionPresent, true, "Session Present");
      // The PUBCOMP may have been lost.
      second.send("62 02 00 09", "62 02 00 0a");
      await second.expectHex("70 02 00 09");
      await second.expectHex("70 02 00 0a");
      second.send("50 02 00 0b");
      await second.expectHex("62 02 00 0b");
      await second.disconnect();
      // A new session has nothing to recover.
      const third = await world.connect({ clientId: world.id("me"), cleanStart: true });
      third.send("62 02 00 09");
      await third.expect("pubcomp", { packetId: 9, ...(world.version === 5 && world.own ? { reasonCode: 0x92 } : {}) });
    },
  },
  {
    title: "PUBREC for an identifier that is not known is answered by PUBREL, in MQTT 5.0 with 0x92",
    v4: "",
    v5: "3.6.2-1",
    async run(world) {
      const client = await world.connect();
      client.send("50 02 00 09");
      if (world.version === 4) await client.expectHex("62 02 00 09");
      else await client.expect("pubrel", { packetId: 9, reasonCode: 0x92 });
      client.send("40 02 00 09", "70 02 00 09");
      await client.expectNothing();
    },
  },
  {
    title: "an exchange of QoS 2 is finished on another connection",
    v4: "4.1.0-1 4.4.0-1",
    v5: "4.3.3-10 4.3.3-11",
    async run(world) {
      const options = (cleanStart: boolean) => ({
        clientId: world.id("me"),
        cleanStart,
        ...(world.version === 5 ? { properties: { sessionExpiryInterval: 60 } } : {}),
      });
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"), { qos: 2 });
      const first = await world.connect(options(false));
      first.send(first.publishPacket(world.t("a"), "1", { qos: 2, packetId: 3 }));
      await first.expect("pubrec", { packetId: 3 });
      await first.cut();
      const second = await world.connect(options(false));
      second.send(second.publishPacket(world.t("a"), "1", { qos: 2, packetId: 3, dup: true }));
      await second.expect("pubrec", { packetId: 3 });
      second.send({ type: "pubrel", packetId: 3, reasonCode: 0 });
      await second.expect("pubcomp", { packetId: 3, reasonCode: 0 });
      await subscriber.take(world.t("a"), "1", { qos: 2 });
      await subscriber.expectNothing();
      // A server may deliver at PUBREL only: the rest is about ours. A clean start frees the identifier.
      if (world.own === undefined) return;
      second.send(second.publishPacket(world.t("a"), "2", { qos: 2, packetId: 3 }));
      await second.expect("pubrec", { packetId: 3 });
      const third = await world.connect(options(true));
      third.send(third.publishPacket(world.t("a"), "3", { qos: 2, packetId: 3 }));
      await third.expect("pubrec", { packetId: 3 });
      await subscriber.take(world.t("a"), "2", { qos: 2 });
      await subscriber.take(world.t("a"), "3", { qos: 2 });
    },
  },
  {
    title: "malformed PUBLISH packets end the connection: QoS 3, identifier 0, no identifier, ill-formed topic",
    v4: "3.3.1-4 2.3.1-1 3.3.2-1 1.5.3-1 1.5.3-2 4.7.3-2 4.8.0-1",
    v5: "3.3.1-4 3.3.2-1 1.5.4-1 1.5.4-2 4.7.3-2 4.13.1-1 3.14.1-1",
    async run(world) {
      const none = noProperties(world);
      const topic = field(world.t("a"));
      await eachEnds(
        world,
        [
          frame(0x36, topic, "00 01", none, "78"),
          frame(0x3e, topic, "00 01", none, "78"),
          frame(0x32, topic),
          frame(0x30, "00 05 61"),
          ...[...ILL_FORMED, "61 00 62"].map((hex) => frame(0x30, field({ hex }), none, "78")),
          frame(0xe1),
        ],
        0x81,
      );
    },
  },
  {
    title: "packet identifier 0 ends the connection",
    v4: "2.3.1-1",
    v5: "2.2.1-3",
    async run(world) {
      const none = noProperties(world);
      const topic = field(world.t("a"));
      await eachEnds(world, [
        frame(0x32, topic, "00 00", none, "78"),
        frame(0x34, topic, "00 00", none, "78"),
        frame(0x82, "00 00", none, topic, "00"),
        frame(0xa2, "00 00", none, topic),
      ]);
    },
  },
  {
    title: "DUP with QoS 0 ends the connection",
    v4: "3.3.1-2",
    v5: "3.3.1-2",
    run: (world) => eachEnds(world, [frame(0x38, field(world.t("a")), noProperties(world), "78")], 0x81),
  },
  {
    title: "a topic name with wildcards or without characters ends the connection and goes nowhere",
    v4: "3.3.2-2 4.7.1-1 4.7.3-1",
    v5: "3.3.2-2 4.7.0-1 4.7.3-1",
    async run(world) {
      const observer = await world.connect();
      await observer.subscribe(world.t("#"));
      const none = noProperties(world);
      for (const topic of ["a/+", "a/#", "+", "#", "a+"]) {
        await eachEnds(world, [frame(0x30, field(world.t(topic)), none, "78")], 0x90);
      }
      await eachEnds(world, [frame(0x30, field(""), none, "78")], world.version === 5 ? 0x82 : 0x90);
      await observer.expectNothing();
    },
  },
  {
    title: "wrong flags in the fixed header end the connection",
    v4: "2.2.2-2 3.6.1-1 3.8.1-1 3.10.1-1 3.14.1-1",
    v5: "2.1.3-1 3.6.1-1 3.8.1-1 3.10.1-1 3.14.1-1 3.15.1-1",
    async run(world) {
      const none = noProperties(world);
      const filter = field(world.t("a"));
      const wrongs: Uint8Array[] = [];
      for (const flags of [0, 1, 3, 6, 10, 15]) {
        wrongs.push(frame(0x60 | flags, "00 01"));
        wrongs.push(frame(0x80 | flags, "00 01", none, filter, "00"));
        wrongs.push(frame(0xa0 | flags, "00 01", none, filter));
      }
      for (const flags of [1, 2, 8]) {
        wrongs.push(frame(0x40 | flags, "00 01"), frame(0x50 | flags, "00 01"), frame(0x70 | flags, "00 01"));
        wrongs.push(frame(0xc0 | flags), frame(0xe0 | flags));
        if (world.version === 5) wrongs.push(frame(0xf0 | flags, "00 00"));
      }
      await eachEnds(world, wrongs, 0x81);
    },
  },
  {
    title: "a topic that begins with U+FEFF keeps it",
    v4: "1.5.3-3",
    v5: "1.5.4-3",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe([`\u{feff}${world.t("a")}`, world.t("a")]);
      const publisher = await world.connect();
      await publisher.publish(`\u{feff}${world.t("a")}`, "with");
      const { bytes } = await subscriber.receive();
      equal(Array.from(bytes.subarray(4, 7)), [0xef, 0xbb, 0xbf], "first bytes of the topic");
      await subscriber.expectNothing();
      await publisher.publish(world.t("a"), "without");
      await subscriber.take(world.t("a"), "without");
      await subscriber.expectNothing();
    },
  },
  {
    title: "payloads of every size arrive unchanged",
    v4: "3.3.2-3",
    v5: "1.5.5-1 3.3.2-3",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("s"), { qos: 1 });
      const publisher = await world.connect();
      for (const length of [0, 1, 100, 127, 128, 16_383, 16_384, 70_000, 300_000]) {
        const payload = Uint8Array.from({ length }, (_, index) => (index * 31) & 0xff);
        for (const qos of [0, 1] as const) {
          await publisher.publish(world.t("s"), payload, { qos });
          const packet = await subscriber.expect("publish", { qos });
          ensure(
            packet.payload.length === length && packet.payload.every((byte, index) => byte === payload[index]),
            `payload of ${length} bytes changed`,
          );
          await subscriber.acknowledge(packet);
        }
      }
    },
  },
  {
    title: "a message that is not allowed is acknowledged and dropped, in MQTT 5.0 with 0x87",
    v4: "3.3.5-2",
    v5: "3.4.2-1 3.5.2-1 4.3.3-9",
    broker: { hooks: { authorize: (_client, action, topic) => action !== "publish" || !topic.endsWith("secret") } },
    async run(world) {
      const observer = await world.connect();
      await observer.subscribe(world.t("#"), { qos: 2 });
      const client = await world.connect();
      const expected = world.version === 5 ? 0x87 : 0;
      await client.publish(world.t("secret"), "0");
      equal(await client.publish(world.t("secret"), "1", { qos: 1 }), expected, "PUBACK");
      equal(await client.publish(world.t("secret"), "2", { qos: 2, packetId: 9 }), expected, "PUBREC");
      // In MQTT 5.0 the refusal ended the exchange: the identifier is free.
      equal(await client.publish(world.t("open"), "3", { qos: 2, packetId: 9 }), 0, "PUBREC of the next");
      await observer.take(world.t("open"), "3");
      await observer.expectNothing();
      await client.expectAlive();
      equal(world.own?.broker.metrics()["droppedNotAuthorized"], 3, "dropped");
    },
  },
  {
    title: "with nobody to have it, a message is acknowledged with 0x10",
    v5: "3.4.2-1 3.5.2-1",
    ownOnly: true,
    async run(world) {
      const client = await world.connect();
      equal(await client.publish(world.t("nobody"), "1", { qos: 1 }), 0x10, "PUBACK");
      equal(await client.publish(world.t("nobody"), "1", { qos: 2 }), 0x10, "PUBREC");
      await client.subscribe(world.t("nobody"));
      equal(await client.publish(world.t("nobody"), "1", { qos: 1 }).catch(() => 0), 0, "PUBACK with a subscriber");
    },
  },
  {
    title: "what the store cannot take is not acknowledged: the connection ends, in MQTT 5.0 the code is 0x97",
    v4: "4.8.0-2",
    v5: "3.4.2-1",
    broker: { limits: { maxRetainedMessages: 1 } },
    async run(world) {
      const client = await world.connect();
      await client.publish(world.t("a"), "1", { qos: 1, retain: true });
      const other = await world.connect();
      if (world.version === 5) {
        equal(await other.publish(world.t("b"), "2", { qos: 1, retain: true }), 0x97, "PUBACK");
        return;
      }
      other.send(other.publishPacket(world.t("b"), "2", { qos: 1, retain: true }));
      await ends(world, other);
      await client.expectAlive();
    },
  },
  {
    title: "a PUBLISH behind a DISCONNECT goes nowhere",
    v4: "3.14.4-1 3.14.4-2",
    v5: "3.14.4-1",
    async run(world) {
      const observer = await world.connect();
      await observer.subscribe(world.t("#"));
      const client = await world.connect();
      client.send({ type: "disconnect", reasonCode: 0 }, client.publishPacket(world.t("a"), "late"));
      await client.expectClosed();
      await observer.expectNothing();
    },
  },
  {
    title: "messages of one publisher arrive in their order, at each QoS",
    v4: "4.6.0-5 4.6.0-6",
    v5: "4.6.0-5 4.6.0-6",
    long: true,
    async run(world) {
      for (const qos of [0, 1, 2] as QoS[]) {
        const subscriber = await world.connect();
        await subscriber.subscribe(world.t(`order${qos}`), { qos: 2 });
        const publisher = await world.connect();
        for (let batch = 0; batch < 10; batch++) {
          const numbers = Array.from({ length: 20 }, (_, index) => batch * 20 + index);
          const packets = numbers.map((n) => publisher.publishPacket(world.t(`order${qos}`), String(n), { qos }));
          publisher.send(...packets);
          for (const { packetId = 0 } of qos === 2 ? packets : []) {
            await publisher.pick("pubrec", packetId);
            publisher.send({ type: "pubrel", packetId, reasonCode: 0 });
          }
          for (const n of numbers) {
            const packet = await subscriber.expect("publish", { qos });
            equal(new TextDecoder().decode(packet.payload), String(n), "number");
            await subscriber.acknowledge(packet);
          }
          await publisher.rest();
        }
      }
    },
  },
];
