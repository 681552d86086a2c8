// Inputs that broke other brokers, one vector for each line of the list, for both versions where both have it.
import type { Check } from "../check.ts";
import {
  eachEnds,
  eachRefused,
  ends,
  ensure,
  equal,
  field,
  frame,
  noProperties,
  rawConnect,
  section,
  variable,
} from "../wire.ts";
import type { World } from "../world.ts";

/** Answered with a failure, or the end of the connection. */
async function filterRefused(world: World, filter: string, options: string): Promise<void> {
  const client = await world.connect();
  client.send(frame(0x82, "00 01", noProperties(world), field(filter), options));
  const [answer] = await client.rest();
  const isRefused = answer?.type === "suback" && answer.reasonCodes.every((code) => code >= 0x80);
  ensure(isRefused || client.closed, `"${filter}" was taken`);
}

export const corpus: readonly Check[] = [
  {
    title: "DUP 1 with QoS 0",
    v4: "3.3.1-2",
    v5: "3.3.1-2",
    run: (world) => eachEnds(world, [frame(0x38, field(world.t("a")), noProperties(world), "78")], 0x81),
  },
  {
    title: "a Subscription Identifier in a client's PUBLISH",
    v5: "3.3.4-6",
    run: (world) => eachEnds(world, [frame(0x30, field(world.t("a")), section("0b 01"), "78")], 0x82),
  },
  {
    title: "single properties twice, in each packet of a client",
    v5: "4.13.1-1",
    async run(world) {
      const topic = field(world.t("a"));
      const singles = ["11 00 00 00 01", "21 00 01", "27 00 00 10 00", "22 00 01", "19 01", "17 01", "15 00 01 61"];
      await eachRefused(
        world,
        singles.map((one) => rawConnect(world, { properties: section(one, one) })),
        0x82,
      );
      await eachEnds(
        world,
        [
          frame(0x82, "00 01", section("0b 01", "0b 01"), topic, "00"),
          frame(0xe0, "00", section("1f 00 01 61", "1f 00 01 61")),
          frame(0xe0, "00", section("11 00 00 00 01", "11 00 00 00 01")),
          frame(0x40, "00 01 00", section("1f 00 01 61", "1f 00 01 61")),
          frame(0x62, "00 01 00", section("1f 00 01 61", "1f 00 01 61")),
        ],
        0x82,
      );
    },
  },
  {
    title: "a Response Topic with a wildcard, in PUBLISH and in the Will",
    v5: "3.3.2-14",
    async run(world) {
      await eachEnds(world, [frame(0x30, field(world.t("a")), section("08", field("a/#")), "78")]);
      await eachRefused(world, [
        rawConnect(world, {
          flags: 0x06,
          payload: [field(world.id("x")), section("08", field("a/+")), field(world.t("w")), field("gone")],
        }),
      ]);
    },
  },
  {
    title: "PINGREQ before CONNECT",
    v4: "3.1.0-1",
    v5: "3.1.0-1",
    async run(world) {
      const client = await world.open();
      client.send("c0 00");
      await client.expectClosed();
    },
  },
  {
    title: "reserved bits in the subscription options",
    v4: "3.8.3-4",
    v5: "3.8.3-5",
    run: (world) =>
      eachEnds(
        world,
        ["40", "80", "c1"].map((options) => frame(0x82, "00 01", noProperties(world), field(world.t("a")), options)),
        0x81,
      ),
  },
  {
    title: "a ShareName with / + or #, and $share/g without a filter",
    v4: "",
    v5: "4.8.2-1 4.8.2-2",
    async run(world) {
      // 3.1.1 treats such filters as plain ones; those with a misplaced wildcard are invalid too.
      const bad =
        world.version === 5
          ? ["$share/+/t", "$share/a+/t", "$share/#/t", "$share/g", "$share/g/", "$share//t"]
          : ["$share/a+/t", "$share/#/t"];
      for (const filter of bad) await filterRefused(world, filter, "00");
    },
  },
  {
    title: "No Local on a shared subscription",
    v5: "3.8.3-4",
    run: (world) => eachEnds(world, [frame(0x82, "00 01 00", field("$share/g/t"), "04")], 0x82),
  },
  {
    title: "the password flag without the user name flag",
    v4: "3.1.2-22",
    run: (world) =>
      eachRefused(world, [rawConnect(world, { flags: 0x42, payload: [field(world.id("x")), field("secret")] })]),
  },
  {
    title: "an empty identifier with Clean Session 0",
    v4: "3.1.3-8",
    v5: "3.1.3-6",
    async run(world) {
      const client = await world.open();
      client.send(rawConnect(world, { flags: 0, payload: [field("")] }));
      if (world.version === 5) {
        const { properties } = await client.expect("connack", { reasonCode: 0 });
        ensure((properties?.assignedClientIdentifier ?? "") !== "", "an assigned identifier");
        return;
      }
      await client.expectHex("20 02 00 02");
      await client.expectClosed();
    },
  },
  {
    title: "a Topic Alias of 0 and one above the maximum",
    v5: "3.3.2-8 3.3.2-9",
    run: (world) =>
      eachEnds(
        world,
        [
          frame(0x30, field(world.t("a")), section("23 00 00"), "78"),
          frame(0x30, field(world.t("a")), section("23 ff ff"), "78"),
        ],
        0x94,
      ),
  },
  {
    title: "a Session Expiry Interval raised from 0 in DISCONNECT",
    v5: "4.13.1-1",
    run: (world) => eachEnds(world, [frame(0xe0, "00", section("11 00 00 00 0a"))], 0x82),
  },
  {
    title: "Will Delay does not leak into the delivered PUBLISH",
    v5: "3.1.2-8",
    async run(world) {
      const watcher = await world.connect();
      await watcher.subscribe(world.t("w"));
      const client = await world.connect({
        will: {
          topic: world.t("w"),
          payload: Uint8Array.of(120),
          qos: 0,
          retain: false,
          properties: { willDelayInterval: 0 },
        },
      });
      await client.cut();
      equal((await watcher.take(world.t("w"), "x")).properties, undefined, "properties");
    },
  },
  {
    title: "a user property with an empty value, an empty name, and both",
    v5: "3.3.2-17 1.5.7-1",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"));
      const publisher = await world.connect();
      const userProperties = [
        ["name", ""],
        ["", "value"],
        ["", ""],
      ] as const;
      await publisher.publish(world.t("a"), "x", { properties: { userProperties } });
      equal((await subscriber.take(world.t("a"), "x")).properties, { userProperties }, "properties");
    },
  },
  {
    title: "a Remaining Length with a fifth byte",
    v4: "4.8.0-1",
    v5: "1.5.5-1 4.13.1-1",
    async run(world) {
      await eachEnds(world, ["30 ff ff ff ff 01", "c0 80 80 80 80 00", "82 80 80 80 80 80"], 0x81);
      const client = await world.open();
      client.send("10 ff ff ff ff 7f");
      await client.expectClosed();
    },
  },
  {
    title: "a Property Length past the end of the packet",
    v5: "4.13.1-1",
    async run(world) {
      await eachEnds(
        world,
        [
          frame(0x30, field(world.t("a")), "05", "01"),
          frame(0x82, "00 01", "7f", "0b 01"),
          frame(0x40, "00 01 00", "09", "1f"),
          frame(0xe0, "00", variable(1_000), "11"),
        ],
        0x81,
      );
      await eachRefused(world, [rawConnect(world, { properties: Uint8Array.of(0x7f) })], 0x81);
    },
  },
  {
    title: "retained messages come with a subscription, not with a takeover",
    v4: "3.1.4-2",
    v5: "3.1.4-3",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true, qos: 1 });
      const options =
        world.version === 4
          ? { clientId: world.id("me"), cleanStart: false }
          : { clientId: world.id("me"), cleanStart: false, properties: { sessionExpiryInterval: 60 } };
      const first = await world.connect(options);
      await first.subscribe(world.t("r"), { qos: 1 });
      await first.take(world.t("r"), "kept");
      await world.advance(10);
      const second = await world.connect(options);
      await ends(world, first, 0x8e);
      await second.expectNothing();
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "a packet of each type cut short at each byte ends in nothing worse than the end of its connection",
    v4: "4.8.0-1",
    v5: "4.13.1-1",
    ownOnly: true,
    async run(world) {
      const none = noProperties(world);
      const packets = [
        rawConnect(world),
        frame(0x34, field("a"), "00 01", none, "78"),
        frame(0x82, "00 01", none, field("a"), "00"),
        frame(0xa2, "00 01", none, field("a")),
      ];
      const bystander = await world.connect({ clientId: "bystander" });
      for (const [index, packet] of packets.entries()) {
        for (let length = 2; length < packet.length; length++) {
          // The Remaining Length is made to fit, so that the packet is whole and too short.
          const cut = packet.slice(0, length);
          cut[1] = length - 2;
          const client = index === 0 ? await world.open() : await world.connect({ clientId: "one" });
          client.send(cut);
          const rest = await client.rest();
          const isWhole = rest.some(
            ({ type }) => type === "pubrec" || type === "connack" || type === "suback" || type === "unsuback",
          );
          ensure(client.closed || isWhole, `still open after ${length} bytes of packet ${index}`);
          client.destroy();
        }
      }
      await bystander.expectAlive();
    },
  },
];
