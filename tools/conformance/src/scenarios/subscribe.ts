// SUBSCRIBE and UNSUBSCRIBE: their acknowledgements, and the subscriptions that they make and end.
import type { Check } from "../check.ts";
import { eachEnds, ensure, equal, field, frame, ILL_FORMED, noProperties } from "../wire.ts";

export const subscribe: readonly Check[] = [
  {
    title: "SUBACK has the identifier of its SUBSCRIBE, one code for each filter in their order, and no other codes",
    v4: "2.3.1-7 3.8.4-1 3.8.4-2 3.8.4-5 3.9.3-1 3.9.3-2 3.8.3-2",
    v5: "2.2.1-6 3.8.4-1 3.8.4-2 3.8.4-6 3.8.4-7 3.9.3-1 3.9.3-2",
    broker: {
      hooks: { authorize: (_client, action, topic) => action !== "subscribe" || !topic.includes("forbidden") },
    },
    async run(world) {
      const client = await world.connect();
      const subscription = (topicFilter: string, qos: 0 | 1 | 2) => ({
        topicFilter,
        qos,
        noLocal: false,
        retainAsPublished: false,
        retainHandling: 0 as const,
      });
      client.send(
        {
          type: "subscribe",
          packetId: 600,
          subscriptions: [subscription("a/+/#", 2), subscription("forbidden", 1), subscription("c", 0)],
        },
        { type: "subscribe", packetId: 7, subscriptions: [subscription("d", 1)] },
        { type: "subscribe", packetId: 65_535, subscriptions: [subscription("forbidden/2", 1)] },
      );
      const no = world.version === 5 ? 0x87 : 0x80;
      equal((await client.expect("suback", { packetId: 600 })).reasonCodes, [2, no, 0], "codes");
      equal((await client.expect("suback", { packetId: 7 })).reasonCodes, [1], "codes");
      const { bytes } = await client.receive();
      const expected = world.version === 5 ? [0x90, 4, 0xff, 0xff, 0, no] : [0x90, 3, 0xff, 0xff, no];
      equal(Array.from(bytes), expected, "SUBACK");
    },
  },
  {
    title: "several filters in one packet work like several packets, with one answer",
    v4: "3.8.4-4 3.10.4-6",
    v5: "3.8.4-5 3.10.4-6",
    async run(world) {
      const names = ["a", "b", "c"].map((name) => world.t(name));
      const client = await world.connect();
      equal((await client.subscribe(names, { qos: 1 })).reasonCodes, [1, 1, 1], "codes");
      const publisher = await world.connect();
      for (const name of names) {
        await publisher.publish(name, "1", { qos: 1 });
        await client.take(name, "1", { qos: 1 });
      }
      await client.unsubscribe(...names);
      for (const name of names) await publisher.publish(name, "2", { qos: 1 });
      await client.expectNothing();
    },
  },
  {
    title: "a subscription with the same filter replaces the old one, and no message is lost or doubled",
    v4: "3.8.4-3",
    v5: "3.8.4-3 3.8.4-4",
    async run(world) {
      const client = await world.connect();
      const publisher = await world.connect();
      await client.subscribe(world.t("a"), { qos: 0 });
      for (let round = 0; round < 20; round++) {
        const qos = (round % 3) as 0 | 1 | 2;
        client.send({
          type: "subscribe",
          packetId: client.nextPacketId(),
          subscriptions: [
            { topicFilter: world.t("a"), qos, noLocal: false, retainAsPublished: false, retainHandling: 0 },
          ],
        });
        await publisher.publish(world.t("a"), String(round), { qos: 2 });
        if (world.own !== undefined) await world.advance(0);
      }
      const packets = await client.rest();
      const numbers = packets.flatMap((packet) =>
        packet.type === "publish" ? [new TextDecoder().decode(packet.payload)] : [],
      );
      equal(
        numbers,
        Array.from({ length: 20 }, (_, index) => String(index)),
        "messages",
      );
      for (const packet of packets) if (packet.type === "publish" && packet.qos === 1) await client.acknowledge(packet);
      await client.subscribe(world.t("a"), { qos: 1 });
      await publisher.publish(world.t("a"), "last", { qos: 2 });
      await client.take(world.t("a"), "last", { qos: 1 });
      await client.expectNothing();
    },
  },
  {
    title: "overlapping subscriptions give the highest QoS, in one copy",
    v4: "3.3.5-1",
    v5: "3.3.4-2",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("a/#"), { qos: 0 });
      await client.subscribe(world.t("a/b"), { qos: 2 });
      await client.subscribe(world.t("+/b"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("a/b"), "x", { qos: 2 });
      const packets = (await client.rest()).filter((packet) => packet.type === "publish");
      ensure(
        packets.some(({ qos }) => qos === 2),
        "no copy has QoS 2",
      );
      if (world.own !== undefined) equal(packets.length, 1, "copies");
    },
  },
  {
    title: "malformed SUBSCRIBE and UNSUBSCRIBE end the connection",
    v4: "3.8.3-1 3.8.3-3 3.8.3-4 3.10.3-1 3.10.3-2 4.7.3-1 4.7.3-2 1.5.3-1 1.5.3-2 4.8.0-1",
    v5: "3.8.3-1 3.8.3-5 3.10.3-1 4.7.3-1 4.7.3-2 1.5.4-1 1.5.4-2",
    async run(world) {
      const none = noProperties(world);
      const filter = field(world.t("a"));
      const bits = world.version === 5 ? ["40", "80", "c0", "03"] : ["03", "04", "08", "10", "40", "80"];
      await eachEnds(
        world,
        [
          ...bits.map((options) => frame(0x82, "00 01", none, filter, options)),
          ...[...ILL_FORMED, "61 00 62"].flatMap((hex) => [
            frame(0x82, "00 01", none, field({ hex }), "00"),
            frame(0xa2, "00 01", none, field({ hex })),
          ]),
          // A filter has at least one character, also as one of several.
          frame(0x82, "00 01", none, field(""), "00"),
          frame(0x82, "00 01", none, filter, "00", field(""), "00"),
          frame(0x82, "00 01", none, field(""), "00", filter, "00"),
          frame(0xa2, "00 01", none, field("")),
          frame(0xa2, "00 01", none, filter, field("")),
          frame(0xa2, "00 01", none, field(""), filter),
          frame(0x82, "00 01", none, filter),
          frame(0x82, "00 01", none, "00 09 61"),
        ],
        0x81,
      );
    },
  },
  {
    title: "SUBSCRIBE and UNSUBSCRIBE without a filter, or with an unknown Retain Handling, end the connection",
    v4: "3.8.3-3 3.10.3-2",
    v5: "3.8.3-2 3.10.3-2",
    async run(world) {
      const none = noProperties(world);
      await eachEnds(
        world,
        [
          frame(0x82, "00 01", none),
          frame(0xa2, "00 01", none),
          ...(world.version === 5 ? [frame(0x82, "00 01", none, field(world.t("a")), "30")] : []),
        ],
        0x82,
      );
    },
  },
  {
    title: "invalid filters are refused, valid ones are taken",
    v4: "4.7.1-2 4.7.1-3",
    v5: "4.7.1-1 4.7.1-2",
    async run(world) {
      for (const bad of ["a#", "a/#/b", "#/a", "a/b#", "a+", "+a", "a/b+/c", "a/+b", "##", "++"]) {
        const client = await world.connect({ clientId: world.id("one") });
        client.send({
          type: "subscribe",
          packetId: 1,
          subscriptions: [{ topicFilter: bad, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
        });
        const [answer] = await client.rest();
        const isRefused = answer?.type === "suback" && answer.reasonCodes.every((code) => code >= 0x80);
        ensure(isRefused || client.closed, `"${bad}" was taken`);
        if (world.own !== undefined) {
          equal(answer?.type === "suback" && answer.reasonCodes[0], world.version === 5 ? 0x8f : 0x80, "code");
        }
      }
      const client = await world.connect();
      for (const good of ["a/#", "/#", "+", "+/a", "a/+/b", "/+", "/", "a//b", "+/+/#", " ", "$x/#"]) {
        equal((await client.subscribe(world.t(good))).reasonCodes, [0], good);
      }
      equal((await client.subscribe(["#", "+", "/#", "+/a"])).reasonCodes, [0, 0, 0, 0], "filters from the root");
    },
  },
  {
    title: "UNSUBACK has the identifier of its UNSUBSCRIBE, also when nothing was subscribed",
    v4: "2.3.1-7 3.10.4-4 3.10.4-5",
    v5: "2.2.1-6 3.10.4-4 3.10.4-5 3.11.3-1 3.11.3-2",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("a"));
      client.send({ type: "unsubscribe", packetId: 500, topicFilters: [world.t("a"), world.t("unknown")] });
      const { bytes, packet } = await client.receive();
      ensure(packet.type === "unsuback" && packet.packetId === 500, "UNSUBACK 500");
      if (world.version === 4) equal(Array.from(bytes), [0xb0, 2, 0x01, 0xf4], "UNSUBACK");
      else equal(packet.reasonCodes, [0, 0x11], "codes");
    },
  },
  {
    title: "an invalid filter in UNSUBSCRIBE is told so",
    v5: "3.11.3-2",
    ownOnly: true,
    async run(world) {
      const client = await world.connect();
      equal((await client.unsubscribe("a#", "b")).reasonCodes, [0x8f, 0x11], "codes");
    },
  },
  {
    title: "UNSUBSCRIBE compares filters character for character",
    v4: "3.10.4-1 3.10.4-2",
    v5: "3.10.4-1 3.10.4-2",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("a/+"), { qos: 1 });
      const publisher = await world.connect();
      for (const filter of ["a/b", "a/#", "A/+", "a/+/", "+/+"]) {
        await client.unsubscribe(world.t(filter));
        await publisher.publish(world.t("a/b"), "still", { qos: 1 });
        await client.take(world.t("a/b"), "still");
      }
      await client.unsubscribe(world.t("a/+"));
      await publisher.publish(world.t("a/b"), "no more", { qos: 1 });
      await client.expectNothing();
    },
  },
  {
    title: "a delivery that has begun is carried through after UNSUBSCRIBE",
    v4: "3.10.4-3",
    v5: "3.10.4-3",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("a"), { qos: 2 });
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "1", { qos: 2 });
      const { packetId = 0 } = await client.expect("publish", { qos: 2 });
      await client.unsubscribe(world.t("a"));
      client.send({ type: "pubrec", packetId, reasonCode: 0 });
      await client.expect("pubrel", { packetId });
      client.send({ type: "pubcomp", packetId, reasonCode: 0 });
      await client.expectNothing();
    },
  },
  {
    title: "a filter that may not be had is refused, and messages of it do not come",
    v4: "3.8.4-1 3.8.4-5",
    v5: "3.8.4-1 3.8.4-7",
    broker: {
      hooks: { authorize: (_client, action, topic) => action !== "subscribe" || topic !== "secret" },
    },
    async run(world) {
      const client = await world.connect();
      equal((await client.subscribe("secret", { qos: 2 })).reasonCodes, [world.version === 5 ? 0x87 : 0x80], "codes");
      await (await world.connect()).publish("secret", "1");
      await client.expectNothing();
    },
  },
  {
    title: "what may not be received does not come through a wildcard",
    v4: "",
    v5: "",
    broker: { hooks: { authorize: (_client, action, topic) => action !== "receive" || topic !== "secret" } },
    async run(world) {
      const client = await world.connect();
      await client.subscribe("#");
      const publisher = await world.connect();
      await publisher.publish("secret", "1", { retain: true });
      await publisher.publish("open", "2");
      await client.take("open", "2");
      await client.subscribe("#");
      await client.expectNothing();
    },
  },
  {
    title: "a hook that takes its time is waited for, and the order of packets is kept",
    v4: "4.6.0-6",
    v5: "4.6.0-5",
    broker: {
      hooks: {
        authenticate: () => Promise.resolve(true),
        authorize: (_client, action) => (action === "receive" ? true : Promise.resolve(true)),
        publish: (_client, message) => Promise.resolve(message),
      },
    },
    async run(world) {
      const client = await world.open();
      client.send(
        client.connectPacket({ clientId: "me" }),
        {
          type: "subscribe",
          packetId: 1,
          subscriptions: [{ topicFilter: "a", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
        },
        client.publishPacket("a", "1", { qos: 1, packetId: 11 }),
        client.publishPacket("a", "2"),
        client.publishPacket("a", "3", { qos: 1, packetId: 12 }),
        { type: "pingreq" },
      );
      const packets = await client.rest();
      const types = packets.map(({ type }) => type);
      // PINGREQ is not ordered with the others: it may be answered while they wait.
      equal(
        types.filter((type) => type !== "pingresp"),
        ["connack", "suback", "publish", "puback", "publish", "publish", "puback"],
        "packets",
      );
      equal(types.length, 8, "packets with PINGRESP");
    },
  },
];
