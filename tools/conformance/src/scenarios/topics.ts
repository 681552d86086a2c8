// Matching of topic names and filters, by what clients receive.
import type { Check } from "../check.ts";
import { ensure, equal } from "../wire.ts";

/** Filter, topics that it matches, topics that it does not. */
const MATRIX: readonly (readonly [filter: string, yes: readonly string[], no: readonly string[]])[] = [
  [
    "sport/tennis/player1/#",
    ["sport/tennis/player1", "sport/tennis/player1/ranking", "sport/tennis/player1/score/w"],
    ["sport/tennis", "sport/tennis/player11"],
  ],
  ["sport/#", ["sport", "sport/a/b/c"], ["sports", "Sport"]],
  ["sport/tennis/+", ["sport/tennis/player1", "sport/tennis/"], ["sport/tennis/player1/ranking", "sport/tennis"]],
  ["sport/+", ["sport/", "sport/x"], ["sport"]],
  ["+/+", ["/finance", "a/b"], ["finance", "a/b/c"]],
  ["/+", ["/finance"], ["finance", "a/finance"]],
  ["a//b", ["a//b"], ["a/b", "a/x/b"]],
  ["a/+/b", ["a//b", "a/x/b"], ["a/b", "a/x/y/b"]],
  ["+/a/#", ["/a", "x/a", "x/a/b"], ["a", "x/b"]],
  ["Accounts payable", ["Accounts payable"], ["Accounts%20payable", "accounts payable"]],
  ["\u00e4", ["\u00e4"], ["a\u0308", "\u00c4", "a"]],
  ["x/\u{1f600}", ["x/\u{1f600}"], ["x/\u{1f601}"]],
];

export const topics: readonly Check[] = [
  {
    title: "messages come where the filter matches, as the names are, and nowhere else",
    v4: "3.3.2-3 4.7.3-4",
    v5: "3.3.2-3 4.7.3-4",
    async run(world) {
      const publisher = await world.connect();
      for (const [filter, yes, no] of MATRIX) {
        const subscriber = await world.connect({ clientId: world.id("sub") });
        await subscriber.subscribe(world.t(filter));
        for (const topic of yes) {
          await publisher.publish(world.t(topic), "yes");
          await subscriber.take(world.t(topic), "yes");
        }
        for (const topic of no) await publisher.publish(world.t(topic), "no");
        await subscriber.expectNothing();
        await subscriber.disconnect();
      }
    },
  },
  {
    title: "filters that begin with a wildcard match no topic that begins with $",
    v4: "4.7.2-1",
    v5: "4.7.2-1",
    async run(world) {
      const root = `$${world.id("y")}`;
      const publisher = await world.connect();
      const wild = await world.connect();
      await wild.subscribe(["#", "+/x", "+/#"]);
      await wild.rest();
      const plain = await world.connect();
      await plain.subscribe([`${root}/#`, `${root}/+`]);
      await publisher.publish(`${root}/x`, "1", { retain: true });
      equal((await plain.messages()).length > 0, true, "the filter that begins with $");
      ensure(
        (await wild.rest()).every((packet) => packet.type !== "publish" || !packet.topic.startsWith("$")),
        "a wildcard matched $",
      );
      await wild.subscribe("+/x");
      ensure(
        (await wild.rest()).every((packet) => packet.type !== "publish" || !packet.topic.startsWith("$")),
        "a wildcard matched $ in a retained message",
      );
      await publisher.publish(`${root}/x`, "", { retain: true });
    },
  },
  {
    title: "what the server tells of itself comes with $SYS/# only, and clients cannot fake it",
    v4: "4.7.2-1",
    v5: "4.7.2-1",
    broker: { sys: { intervalSeconds: 10 } },
    async run(world) {
      const all = await world.connect();
      await all.subscribe("#");
      await all.expectNothing();
      const sys = await world.connect();
      await sys.subscribe("$SYS/broker/version");
      const { payload } = await sys.expect("publish", { topic: "$SYS/broker/version", retain: true });
      ensure(new TextDecoder().decode(payload).startsWith("WrenMQ"), "version");
      const faker = await world.connect();
      equal(
        await faker.publish("$SYS/broker/version", "fake", { qos: 1, retain: true }),
        world.version === 5 ? 0x87 : 0,
        "PUBACK",
      );
      await sys.expectNothing();
      await world.advance(10_000);
      await all.expectNothing();
    },
  },
  {
    title: "names up to the server's limit go through, longer ones are refused; both are documented",
    v4: "4.7.3-3",
    v5: "4.7.3-3",
    broker: { limits: { maxTopicLength: 65_535, maxTopicLevels: 65_535 } },
    async run(world) {
      const topic = "t".repeat(65_535);
      const subscriber = await world.connect();
      equal((await subscriber.subscribe(topic, { qos: 1 })).reasonCodes, [1], "codes");
      const publisher = await world.connect();
      await publisher.publish(topic, "long", { qos: 1 });
      await subscriber.take(topic, "long");
      const deep = "/".repeat(65_534);
      await subscriber.subscribe(deep);
      await publisher.publish(deep, "deep");
      await subscriber.take(deep, "deep");
    },
  },
  {
    title: "a name over the server's limits ends the connection, a filter over them is refused",
    v4: "",
    v5: "",
    broker: { limits: { maxTopicLength: 20, maxTopicLevels: 3 } },
    async run(world) {
      const client = await world.connect();
      const refusal = world.version === 5 ? 0x8f : 0x80;
      equal(
        (await client.subscribe(["a/b/c", "a/b/c/d", "x".repeat(21), "x".repeat(20)])).reasonCodes,
        [0, refusal, refusal, 0],
        "codes",
      );
      for (const topic of ["a/b/c/d", "x".repeat(21)]) {
        const one = await world.connect({ clientId: "one" });
        one.send(one.publishPacket(topic, "1"));
        equal((await one.lastWords()).length, world.version === 5 ? 1 : 0, "last words");
      }
    },
  },
];
