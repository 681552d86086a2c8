// MQTT 5.0: shared subscriptions.
import type { ShareStrategy } from "@wrenmq/broker";
import { type FixtureOptions, type RawClient, text } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { eachEnds, ensure, equal, field, frame } from "../wire.ts";
import type { World } from "../world.ts";
import { lasting } from "./session.ts";

async function members(world: World, count: number, qos: 0 | 1 | 2 = 0): Promise<RawClient[]> {
  const all: RawClient[] = [];
  for (let index = 0; index < count; index++) {
    const client = await world.connect();
    await client.subscribe(`$share/g/${world.t("s")}`, { qos });
    all.push(client);
  }
  return all;
}

/** How many messages each client got. */
async function counts(clients: readonly RawClient[]): Promise<number[]> {
  const all: number[] = [];
  for (const client of clients) all.push((await client.messages()).length);
  return all;
}

function strategy(name: ShareStrategy): FixtureOptions {
  return { shared: { strategy: name } };
}

export const shared: readonly Check[] = [
  {
    title: "each message goes to one member of a group, to every group, and to plain subscriptions besides",
    v5: "4.8.2-1 4.8.2-2",
    async run(world) {
      const group = await members(world, 3);
      const other = await world.connect();
      await other.subscribe(`$share/other/${world.t("#")}`);
      const plain = await world.connect();
      await plain.subscribe(world.t("s"));
      const publisher = await world.connect();
      for (let index = 0; index < 12; index++) await publisher.publish(world.t("s"), String(index));
      equal(
        (await counts(group)).reduce((sum, count) => sum + count, 0),
        12,
        "messages of the group",
      );
      equal((await other.messages()).length, 12, "messages of the other group");
      equal((await plain.messages()).length, 12, "messages of the plain subscription");
    },
  },
  {
    title: "round-robin deals the messages out evenly",
    v5: "",
    broker: strategy("round-robin"),
    async run(world) {
      const group = await members(world, 3, 1);
      const publisher = await world.connect();
      for (let index = 0; index < 12; index++) await publisher.publish(world.t("s"), String(index));
      equal(await counts(group), [4, 4, 4], "messages");
    },
  },
  {
    title: "sticky keeps to one member as long as it can",
    v5: "",
    broker: strategy("sticky"),
    async run(world) {
      const group = await members(world, 3);
      const publisher = await world.connect();
      for (let index = 0; index < 6; index++) await publisher.publish(world.t("s"), String(index));
      equal(await counts(group), [6, 0, 0], "messages");
      await group[0]?.disconnect();
      for (let index = 0; index < 6; index++) await publisher.publish(world.t("s"), String(index));
      equal(await counts(group.slice(1)), [6, 0], "messages after the first left");
    },
  },
  {
    title: "publisher gives the messages of one client to one member",
    v5: "",
    broker: strategy("publisher"),
    async run(world) {
      const group = await members(world, 4);
      for (let index = 0; index < 8; index++) {
        const publisher = await world.connect({ clientId: `publisher-${index}` });
        for (let message = 0; message < 5; message++) await publisher.publish(world.t("s"), "x");
        const seen = await counts(group);
        equal(seen.filter((count) => count > 0).length, 1, "members");
        equal(Math.max(...seen), 5, "messages");
      }
    },
  },
  {
    title: "random reaches every member in the end",
    v5: "",
    broker: strategy("random"),
    async run(world) {
      const group = await members(world, 3);
      const publisher = await world.connect();
      for (let index = 0; index < 300; index++) await publisher.publish(world.t("s"), "x");
      const seen = await counts(group);
      equal(
        seen.reduce((sum, count) => sum + count, 0),
        300,
        "messages",
      );
      // One in 3^300 would fail by chance.
      ensure(
        seen.every((count) => count > 0),
        "a member got none",
      );
    },
  },
  {
    title: "each member gets messages at no more than its own QoS",
    v5: "4.8.2-3",
    async run(world) {
      const low = await world.connect();
      await low.subscribe(`$share/g/${world.t("s")}`, { qos: 0 });
      const high = await world.connect();
      await high.subscribe(`$share/g/${world.t("s")}`, { qos: 1 });
      const publisher = await world.connect();
      for (let index = 0; index < 10; index++) await publisher.publish(world.t("s"), "x", { qos: 2 });
      for (const [client, qos] of [
        [low, 0],
        [high, 1],
      ] as const) {
        for (const packet of await client.rest()) {
          if (packet.type === "publish") equal(packet.qos <= qos, true, `QoS ${packet.qos} of ${qos}`);
        }
      }
    },
  },
  {
    title: "a delivery of QoS 2 goes on with its member when that is back",
    v5: "4.8.2-4",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      const publisher = await world.connect();
      await publisher.publish(world.t("s"), "1", { qos: 2 });
      await publisher.publish(world.t("s"), "2", { qos: 2 });
      const one = (await first.expect("publish")).packetId ?? 0;
      const two = (await first.expect("publish")).packetId ?? 0;
      first.send({ type: "pubrec", packetId: one, reasonCode: 0 });
      await first.expect("pubrel", { packetId: one });
      const other = await world.connect();
      await other.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      await first.cut();
      await other.expectNothing();
      const second = await world.connect(lasting(world, "me"));
      await second.expect("pubrel", { packetId: one });
      await second.expect("publish", { packetId: two, dup: true });
      await other.expectNothing();
      await second.disconnect();
    },
  },
  {
    title: "when its session ends, a delivery of QoS 2 goes to nobody else",
    v5: "4.8.2-5",
    async run(world) {
      const first = await world.connect(lasting(world, "me", 1));
      await first.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      await (await world.connect()).publish(world.t("s"), "1", { qos: 2 });
      await first.expect("publish");
      const other = await world.connect();
      await other.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      await first.cut();
      await world.advance(2_000);
      await other.expectNothing();
    },
  },
  {
    title:
      "what a member has not got when its session ends goes to another one, however it ends, but for QoS 2 in delivery",
    v5: "4.8.2-5",
    async run(world) {
      const publisher = await world.connect();
      const filter = `$share/g/${world.t("s")}`;
      const ends: Record<string, (client: RawClient) => Promise<void>> = {
        async disconnect(client) {
          await client.disconnect();
        },
        async cut(client) {
          await client.cut();
        },
        async expiry(client) {
          await client.cut();
          await world.advance(1_500);
        },
        async "takeover with a clean start"() {
          await world.connect({ clientId: world.id("expiring"), cleanStart: true });
        },
      };
      for (const [name, end] of Object.entries(ends)) {
        const isLasting = name === "expiry" || name.startsWith("takeover");
        const properties = { receiveMaximum: 3, ...(isLasting ? { sessionExpiryInterval: 1 } : {}) };
        const member = await world.connect({ clientId: world.id(isLasting ? "expiring" : "passing"), properties });
        await member.subscribe(filter, { qos: 2 });
        // Sent: 1, 2 and 3. Never sent: 4 to 7.
        for (const [index, qos] of ([1, 2, 1, 1, 2, 2, 1] as const).entries()) {
          await publisher.publish(world.t("s"), `${index + 1}`, { qos });
        }
        for (const payload of ["1", "2", "3"]) {
          equal(text((await member.expect("publish")).payload), payload, "sent");
        }
        await member.expectNothing();
        const other = await world.connect({ properties: { receiveMaximum: 100 } });
        await other.subscribe(filter, { qos: 2 });
        await other.expectNothing();
        await end(member);
        const got: string[] = [];
        for (const packet of await other.rest()) {
          if (packet.type !== "publish") continue;
          equal(packet.dup, false, "DUP");
          got.push(`${text(packet.payload)} at ${packet.qos}`);
        }
        equal(got.toSorted(), ["1 at 1", "3 at 1", "4 at 1", "5 at 2", "6 at 2", "7 at 1"], `after ${name}`);
        await other.disconnect();
      }
    },
  },
  {
    title: "a message that its member refuses goes to nobody else",
    v5: "4.8.2-6",
    async run(world) {
      const first = await world.connect();
      await first.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      const publisher = await world.connect();
      await publisher.publish(world.t("s"), "1", { qos: 1 });
      await publisher.publish(world.t("s"), "2", { qos: 2 });
      const one = (await first.expect("publish")).packetId ?? 0;
      const two = (await first.expect("publish")).packetId ?? 0;
      const other = await world.connect();
      await other.subscribe(`$share/g/${world.t("s")}`, { qos: 2 });
      first.send(
        { type: "puback", packetId: one, reasonCode: 0x80 },
        { type: "pubrec", packetId: two, reasonCode: 0x80 },
      );
      await first.expectNothing();
      await other.expectNothing();
    },
  },
  {
    title: "members that are connected come first; with none, the message waits for one that is away",
    v5: "4.5.0-1",
    ownOnly: true,
    async run(world) {
      const away = await world.connect(lasting(world, "away"));
      await away.subscribe(`$share/g/${world.t("s")}`, { qos: 1 });
      await away.disconnect();
      const here = await world.connect();
      await here.subscribe(`$share/g/${world.t("s")}`, { qos: 1 });
      const publisher = await world.connect();
      for (const payload of "abc") await publisher.publish(world.t("s"), payload, { qos: 1 });
      for (const payload of "abc") await here.take(world.t("s"), payload);
      await here.disconnect();
      await publisher.publish(world.t("s"), "d", { qos: 1 });
      const back = await world.connect(lasting(world, "away"));
      await back.take(world.t("s"), "d");
      await back.expectNothing();
    },
  },
  {
    title: "shared subscriptions bring no retained messages, and their messages have their identifier",
    v5: "3.3.4-3",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("s"), "kept", { retain: true });
      const client = await world.connect();
      await client.subscribe(`$share/g/${world.t("s")}`, { subscriptionIdentifier: 12 });
      await client.expectNothing();
      await publisher.publish(world.t("s"), "live");
      equal((await client.take(world.t("s"), "live")).properties?.subscriptionIdentifiers, [12], "identifiers");
      await publisher.publish(world.t("s"), "", { retain: true });
    },
  },
  {
    title: "a member that unsubscribes, or whose session ends, gets nothing any more",
    v5: "3.10.4-1 3.10.4-2",
    async run(world) {
      const [one, two] = await members(world, 2, 1);
      ensure(one !== undefined && two !== undefined, "two members");
      equal((await one.unsubscribe(`$share/g/${world.t("s")}`)).reasonCodes, [0], "code");
      const publisher = await world.connect();
      for (const payload of "abc") await publisher.publish(world.t("s"), payload);
      equal(await counts([one, two]), [0, 3], "messages");
      await two.disconnect();
      await publisher.publish(world.t("s"), "d", { qos: 1 });
      await one.expectNothing();
    },
  },
  {
    title: "malformed shared filters are refused",
    v5: "4.8.2-1 4.8.2-2",
    async run(world) {
      for (const bad of [
        "$share//t",
        "$share/g",
        "$share/g/",
        "$share/+/t",
        "$share/a#/t",
        "$share/#",
        "$share/",
        "$share/g/a#",
      ]) {
        const client = await world.connect({ clientId: world.id("one") });
        client.send(frame(0x82, "00 01 00", field(bad), "00"));
        const [answer] = await client.rest();
        ensure(
          client.closed || (answer?.type === "suback" && answer.reasonCodes.every((code) => code >= 0x80)),
          `"${bad}" was taken`,
        );
      }
      const client = await world.connect();
      equal(
        (await client.subscribe(["$share/g/t", "$share/g/#", "$share/g//", "$sharex/g"])).reasonCodes,
        [0, 0, 0, 0],
        "codes",
      );
    },
  },
  {
    title: "No Local on a shared subscription ends the connection",
    v5: "3.8.3-4",
    run: (world) => eachEnds(world, [frame(0x82, "00 01 00", field("$share/g/t"), "04")], 0x82),
  },
];
