// MQTT 5.0: properties of messages from publisher to subscriber, and expiry.
import type { PublishProperties } from "@wrenmq/codec";
import type { Check } from "../check.ts";
import { eachEnds, ensure, equal, field, frame, ILL_FORMED, section, variable } from "../wire.ts";
import type { World } from "../world.ts";
import { lasting } from "./session.ts";

/** A PUBLISH of QoS 0 with these properties, as hex or bytes. */
function withProperties(world: World, ...properties: (string | Uint8Array)[]): Uint8Array {
  return frame(0x30, field(world.t("p")), section(...properties), "78");
}

const USER_PROPERTIES = [
  ["b", "1"],
  ["a", "2"],
  ["b", "1"],
  ["", ""],
  ["a", ""],
  ["\u00e4\u{1f600}", "\u{feff}"],
] as const;

const EVERYTHING: readonly PublishProperties[] = [
  { payloadFormatIndicator: 0 },
  { payloadFormatIndicator: 1 },
  { contentType: "" },
  { contentType: "application/json; charset=\u00fctf-8" },
  { responseTopic: "answers/to/me" },
  { correlationData: new Uint8Array(0) },
  { correlationData: Uint8Array.of(0, 1, 254, 255) },
  { userProperties: USER_PROPERTIES },
  {
    payloadFormatIndicator: 1,
    contentType: "text/plain",
    responseTopic: "a",
    correlationData: Uint8Array.of(9),
    userProperties: USER_PROPERTIES,
  },
];

export const properties: readonly Check[] = [
  {
    title: "the properties of a message reach every subscriber as they were received, live, queued and retained",
    v5: "3.3.2-4 3.3.2-15 3.3.2-16 3.3.2-17 3.3.2-18 3.3.2-20 2.2.2-1",
    async run(world) {
      const live = [await world.connect(), await world.connect()];
      for (const client of live) await client.subscribe(world.t("p"), { qos: 1 });
      const away = await world.connect(lasting(world, "away"));
      await away.subscribe(world.t("p"), { qos: 2 });
      await away.disconnect();
      const publisher = await world.connect();
      for (const given of EVERYTHING) {
        await publisher.publish(world.t("p"), "x", { qos: 2, retain: true, properties: given });
        for (const client of live) equal((await client.take(world.t("p"), "x")).properties, given, "live");
        const late = await world.connect();
        await late.subscribe(world.t("p"));
        equal((await late.take(world.t("p"), "x", { retain: true })).properties, given, "retained");
      }
      await publisher.publish(world.t("p"), "", { retain: true });
      const back = await world.connect(lasting(world, "away"));
      for (const given of EVERYTHING) equal((await back.take(world.t("p"), "x")).properties, given, "queued");
    },
  },
  {
    title: "a message of an MQTT 5.0 client reaches one of 3.1.1 without its properties",
    v4: "3.3.2-3",
    v5: "",
    async run(world) {
      const [from, to] = world.version === 4 ? ([5, 4] as const) : ([4, 5] as const);
      const subscriber = await world.connect({ clientId: world.id("sub") }, to);
      await subscriber.subscribe(world.t("p"), { qos: 2 });
      const publisher = await world.connect({ clientId: world.id("pub") }, from);
      for (const qos of [0, 1, 2] as const) {
        const given = from === 5 ? { properties: EVERYTHING[8] ?? {} } : {};
        await publisher.publish(world.t("p"), "x", { qos, ...given });
        equal((await subscriber.take(world.t("p"), "x", { qos })).properties, undefined, "properties");
      }
    },
  },
  {
    title: "malformed properties end the connection",
    v5: "1.5.4-1 1.5.4-2 1.5.7-1 3.3.2-13 3.3.2-19 4.13.1-1",
    async run(world) {
      const strings = [...ILL_FORMED, "61 00 62"];
      await eachEnds(
        world,
        [
          ...strings.map((hex) => withProperties(world, "08", field({ hex }))),
          ...strings.map((hex) => withProperties(world, "03", field({ hex }))),
          ...strings.map((hex) => withProperties(world, "26", field({ hex }), field("v"))),
          ...strings.map((hex) => withProperties(world, "26", field("k"), field({ hex }))),
          // A property that does not exist, one cut short, a length past the end, a length of five bytes.
          withProperties(world, "00 00"),
          withProperties(world, "7f 00"),
          withProperties(world, "02 00 00"),
          frame(0x30, field(world.t("p")), "7f 01 00", "78"),
          frame(0x30, field(world.t("p")), "80 80 80 80 01", "78"),
          frame(0x30, field(world.t("p")), "80 00", "78"),
        ],
        0x81,
      );
    },
  },
  {
    title: "a property where it does not belong, or twice, ends the connection with DISCONNECT",
    v5: "4.13.1-1 3.3.4-6",
    async run(world) {
      const twice: Uint8Array[] = [
        "01 00 01 00",
        "02 00 00 00 01 02 00 00 00 01",
        "23 00 01 23 00 01",
        "08 00 01 61 08 00 01 61",
        "09 00 01 61 09 00 01 61",
        "03 00 01 61 03 00 01 61",
      ].map((hex) => withProperties(world, hex));
      await eachEnds(world, twice, 0x82);
      // Only the server sends Subscription Identifier.
      await eachEnds(world, [withProperties(world, "0b 01"), withProperties(world, "0b 00")], 0x82);
      const foreign = [
        "11 00 00 00 01",
        "12 00 01 61",
        "13 00 01",
        "15 00 01 61",
        "16 00 01 61",
        "17 01",
        "18 00 00 00 01",
      ];
      const more = [
        "19 01",
        "1a 00 01 61",
        "1c 00 01 61",
        "1f 00 01 61",
        "21 00 01",
        "22 00 01",
        "24 01",
        "25 01",
        "27 00 00 00 01",
      ];
      for (const hex of [...foreign, ...more, "28 01", "29 01", "2a 01"]) {
        const client = await world.connect();
        client.send(withProperties(world, hex));
        const words = await client.lastWords();
        if (world.own === undefined) continue;
        const [last] = words;
        ensure(
          words.length === 1 && last?.type === "disconnect" && (last.reasonCode === 0x82 || last.reasonCode === 0x81),
          `property ${hex.slice(0, 2)}`,
        );
      }
    },
  },
  {
    title: "a Response Topic with wildcards or without characters ends the connection and goes nowhere",
    v5: "3.3.2-14",
    async run(world) {
      const observer = await world.connect();
      await observer.subscribe(world.t("p"));
      const wrongs = ["a/+", "a/#", "#", "+"].map((topic) => withProperties(world, "08", field(topic)));
      await eachEnds(world, [...wrongs, withProperties(world, "08", field(""))]);
      await observer.expectNothing();
    },
  },
  {
    title: "a message that has expired is not delivered, one that has not says how long it has left",
    v5: "3.3.2-5 3.3.2-6",
    async run(world) {
      const away = await world.connect(lasting(world, "away"));
      await away.subscribe(world.t("p"), { qos: 2 });
      await away.disconnect();
      const publisher = await world.connect();
      for (const [payload, seconds, qos] of [
        ["gone", 1, 1],
        ["there", 10, 2],
        ["gone too", 2, 2],
        ["for ever", undefined, 1],
      ] as const) {
        const given = seconds === undefined ? {} : { properties: { messageExpiryInterval: seconds } };
        await publisher.publish(world.t("p"), payload, { qos, ...given });
        await publisher.publish(world.t(`r/${payload}`), payload, { qos: 0, retain: true, ...given });
      }
      await world.advance(3_000);
      const back = await world.connect(lasting(world, "away"));
      const { properties: left } = await back.take(world.t("p"), "there");
      ensure([6, 7].includes(left?.messageExpiryInterval ?? 0), `${left?.messageExpiryInterval} seconds left`);
      equal((await back.take(world.t("p"), "for ever")).properties, undefined, "properties");
      await back.expectNothing();
      const late = await world.connect();
      await late.subscribe(world.t("r/#"));
      const packets = (await late.rest()).flatMap((packet) => (packet.type === "publish" ? [packet] : []));
      equal(packets.map(({ payload }) => new TextDecoder().decode(payload)).sort(), ["for ever", "there"], "retained");
      const there = packets.find(({ topic }) => topic.endsWith("there"));
      ensure([6, 7].includes(there?.properties?.messageExpiryInterval ?? 0), "seconds left of the retained one");
      for (const payload of ["there", "for ever"])
        await publisher.publish(world.t(`r/${payload}`), "", { retain: true });
      await back.disconnect();
    },
  },
  {
    title: "messages expire to the tenth of a second, and are counted",
    v5: "3.3.2-5 3.3.2-6",
    ownOnly: true,
    async run(world) {
      const away = await world.connect(lasting(world, "away", 1_000));
      await away.subscribe("p", { qos: 1 });
      await away.disconnect();
      const publisher = await world.connect();
      for (const late of [false, true]) {
        await publisher.publish("p", "x", { qos: 1, properties: { messageExpiryInterval: 5 } });
        await publisher.publish("r", "x", { retain: true, properties: { messageExpiryInterval: 5 } });
        await world.advance(late ? 5_000 : 4_900);
        const back = await world.connect(lasting(world, "away", 1_000));
        if (!late) equal((await back.take("p", "x")).properties, { messageExpiryInterval: 1 }, "left");
        await back.expectNothing();
        await back.disconnect();
        const reader = await world.connect();
        await reader.subscribe("r");
        equal(await reader.messages(), late ? [] : ["x"], "retained");
        equal(world.own?.broker.metrics()["droppedExpired"], late ? 1 : 0, "dropped");
      }
      await world.advance(61_000);
      equal([...(world.own?.broker.retained() ?? [])].length, 0, "retained messages in memory");
    },
  },
  {
    title: "a live message arrives with the interval it was sent with",
    v5: "3.3.2-6",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("p"), { qos: 2 });
      const publisher = await world.connect();
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish(world.t("p"), "x", { qos, properties: { messageExpiryInterval: 100 } });
        const { properties: left } = await subscriber.take(world.t("p"), "x", { qos });
        ensure([99, 100].includes(left?.messageExpiryInterval ?? 0), `${left?.messageExpiryInterval} seconds`);
      }
    },
  },
  {
    title: "expiry never ends an exchange of QoS 2 that has begun, as sender or as receiver",
    v5: "4.3.3-7 4.3.3-13",
    async run(world) {
      const options = lasting(world, "sub");
      const first = await world.connect(options);
      await first.subscribe(world.t("p"), { qos: 2 });
      const publisher = await world.connect();
      publisher.send(
        publisher.publishPacket(world.t("p"), "x", { qos: 2, packetId: 4, properties: { messageExpiryInterval: 1 } }),
      );
      await publisher.expect("pubrec", { packetId: 4 });
      await world.advance(3_000);
      publisher.send({ type: "pubrel", packetId: 4, reasonCode: 0 });
      await publisher.expect("pubcomp", { packetId: 4, reasonCode: 0 });
      // A server that delivers at PUBREL has nothing left to deliver.
      if (world.own === undefined) return;
      const { packetId = 0 } = await first.expect("publish", { qos: 2 });
      await first.cut();
      const second = await world.connect(options);
      await second.expect("publish", { packetId, dup: true, qos: 2 });
      second.send({ type: "pubrec", packetId, reasonCode: 0 });
      await second.expect("pubrel", { packetId, reasonCode: 0 });
      await world.advance(3_000);
      await second.cut();
      const third = await world.connect(options);
      await third.expect("pubrel", { packetId, reasonCode: 0 });
      third.send({ type: "pubcomp", packetId, reasonCode: 0 });
      await third.expectNothing();
      await third.disconnect();
    },
  },
  {
    title: "request and response: the answer finds its way by Response Topic and Correlation Data",
    v5: "3.3.2-15 3.3.2-16 3.1.2-28",
    broker: { responseInformation: (clientId: string) => `answers/${clientId}` },
    async run(world) {
      const asker = await world.open();
      const { properties: told } = await asker.connect({
        clientId: "asker",
        properties: { requestResponseInformation: 1 },
      });
      equal(told?.responseInformation, "answers/asker", "Response Information");
      for (const asked of [{ requestResponseInformation: 0 as const }, {}]) {
        const silent = await world.open();
        const answer = await silent.connect({ clientId: "silent", properties: asked });
        equal(answer.properties?.responseInformation, undefined, "Response Information that was not asked for");
        await silent.disconnect();
      }
      await asker.subscribe("answers/asker/1", { qos: 1 });
      const answerer = await world.connect({ clientId: "answerer" });
      await answerer.subscribe("questions", { qos: 1 });
      const correlationData = Uint8Array.of(4, 2);
      await asker.publish("questions", "?", {
        qos: 1,
        properties: { responseTopic: "answers/asker/1", correlationData },
      });
      const question = await answerer.take("questions", "?");
      await answerer.publish(question.properties?.responseTopic ?? "", "!", {
        qos: 1,
        properties: { correlationData: question.properties?.correlationData ?? new Uint8Array() },
      });
      equal((await asker.take("answers/asker/1", "!")).properties, { correlationData }, "properties of the answer");
    },
  },
  {
    title: "No Local keeps a client's own messages from it, and nobody else's",
    v5: "3.8.3-3",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("p"), { noLocal: true, qos: 1 });
      client.send(client.publishPacket(world.t("p"), "own", { qos: 1, packetId: 77 }));
      await client.expect("puback", { packetId: 77 });
      await client.expectNothing();
      const other = await world.connect();
      await other.publish(world.t("p"), "other's");
      await client.take(world.t("p"), "other's");
      // Another subscription of the client may match the topic.
      await client.subscribe(world.t("#"), { qos: 0 });
      client.send(client.publishPacket(world.t("p"), "own"));
      await client.take(world.t("p"), "own", { qos: 0 });
      await client.expectNothing();
    },
  },
  {
    title: "a message has the identifiers of all matching subscriptions, in one copy",
    v5: "3.3.4-3 3.3.4-4",
    ownOnly: true,
    async run(world) {
      const client = await world.connect();
      await client.subscribe("a/#", { qos: 2, subscriptionIdentifier: 1 });
      await client.subscribe("a/+", { qos: 0, subscriptionIdentifier: 268_435_455 });
      await client.subscribe("+/b", { qos: 1 });
      await client.subscribe("a/c", { qos: 1, subscriptionIdentifier: 128 });
      const publisher = await world.connect();
      const sorted = (values: readonly number[] | undefined): number[] => [...(values ?? [])].sort((a, b) => a - b);
      for (const [topic, expected, qos] of [
        ["a/b", [1, 268_435_455], 2],
        ["a/c", [1, 128, 268_435_455], 2],
        ["x/b", [], 1],
        ["a", [1], 2],
      ] as const) {
        await publisher.publish(topic, "x", { qos: 2 });
        const { properties: given } = await client.take(topic, "x", { qos });
        equal(sorted(given?.subscriptionIdentifiers), [...expected], topic);
      }
      await client.expectNothing();
      // The same filter again replaces the identifier.
      await client.subscribe("a/#", { qos: 0, subscriptionIdentifier: 7 });
      await publisher.publish("a", "x");
      equal((await client.take("a", "x")).properties?.subscriptionIdentifiers, [7], "new identifier");
      await client.subscribe("a/#", { qos: 0 });
      await publisher.publish("a", "x");
      equal((await client.take("a", "x")).properties, undefined, "no identifier");
    },
  },
  {
    title: "over all copies that come, the identifiers are those of the matching subscriptions",
    v5: "3.3.4-3",
    async run(world) {
      const client = await world.connect();
      await client.subscribe(world.t("a/#"), { subscriptionIdentifier: 3 });
      await client.subscribe(world.t("a/b"), { subscriptionIdentifier: 5 });
      await (await world.connect()).publish(world.t("a/b"), "x");
      const packets = await client.rest();
      const seen = packets.flatMap((packet) =>
        packet.type === "publish" ? (packet.properties?.subscriptionIdentifiers ?? []) : [],
      );
      equal([...seen].sort(), [3, 5], "identifiers");
    },
  },
  {
    title: "identifiers come with queued and with retained messages too, and stay when the filter changed since",
    v5: "3.3.4-3 3.3.4-4",
    ownOnly: true,
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish("a", "kept", { retain: true, qos: 1 });
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe("a", { qos: 1, subscriptionIdentifier: 9 });
      equal((await first.take("a", "kept")).properties?.subscriptionIdentifiers, [9], "retained");
      await first.disconnect();
      await publisher.publish("a", "queued", { qos: 1 });
      const second = await world.connect(lasting(world, "me"));
      equal((await second.take("a", "queued")).properties?.subscriptionIdentifiers, [9], "queued");
    },
  },
  {
    title: "a Subscription Identifier of 0, or twice, ends the connection",
    v5: "4.13.1-1",
    run: (world) =>
      eachEnds(
        world,
        [
          frame(0x82, "00 01", section("0b 00"), field(world.t("a")), "00"),
          frame(0x82, "00 01", section("0b 01 0b 02"), field(world.t("a")), "00"),
        ],
        0x82,
      ),
  },
  {
    title: "an identifier longer than four bytes, or not in its shortest form, ends the connection",
    v5: "1.5.5-1",
    run: (world) =>
      eachEnds(
        world,
        [
          frame(0x82, "00 01", section("0b 80 80 80 80 01"), field(world.t("a")), "00"),
          frame(0x82, "00 01", section("0b 81 00"), field(world.t("a")), "00"),
          "c0 80 00",
          "c0 80 80 80 80 01",
        ],
        0x81,
      ),
  },
  {
    title: "lengths that the server writes are in their shortest form",
    v5: "1.5.5-1",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("p"), { subscriptionIdentifier: 128 });
      const publisher = await world.connect();
      for (const length of [0, 90, 115, 120, 127, 128, 16_370, 16_400]) {
        await publisher.publish(world.t("p"), new Uint8Array(length), {
          properties: { correlationData: new Uint8Array(length) },
        });
        const { bytes } = await subscriber.receive();
        const remaining = variable(bytes.length - 1 - variable(bytes.length - 2).length);
        const head = Array.from(bytes.subarray(1, 1 + remaining.length));
        equal(head, Array.from(remaining), "Remaining Length");
        const at = 1 + remaining.length + 2 + world.t("p").length;
        const rest = bytes.length - at - length;
        const own = variable(rest - variable(rest - 1).length);
        equal(Array.from(bytes.subarray(at, at + own.length)), Array.from(own), "Property Length");
      }
    },
  },
];
