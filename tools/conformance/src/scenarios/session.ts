// Sessions: what outlives a connection, and for how long.
import type { ConnectOptions } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { equal } from "../wire.ts";
import type { World } from "../world.ts";

/** Options of a session that outlives its connection. */
export function lasting(world: World, name: string, seconds: number = 60): ConnectOptions {
  const clientId = world.id(name);
  return world.version === 4
    ? { clientId, cleanStart: false }
    : { clientId, cleanStart: false, properties: { sessionExpiryInterval: seconds } };
}

/** Options that end an existing session. */
export function fresh(world: World, name: string): ConnectOptions {
  return { clientId: world.id(name), cleanStart: true };
}

export const session: readonly Check[] = [
  {
    title: "a session is resumed with its subscriptions, and Session Present says so",
    v4: "3.1.2-4 3.1.3-2 3.1.4-3 3.2.2-2 3.2.2-3 4.1.0-1",
    v5: "3.1.2-5 3.1.2-23 3.1.3-2 3.1.4-4 3.2.2-3",
    async run(world) {
      const first = await world.open();
      equal((await first.connect(lasting(world, "me"))).sessionPresent, false, "Session Present at first");
      await first.subscribe(world.t("a"), { qos: 1 });
      await first.disconnect();
      const second = await world.open();
      equal((await second.connect(lasting(world, "me"))).sessionPresent, true, "Session Present later");
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "1");
      await second.take(world.t("a"), "1", { qos: 0 });
      const other = await world.open();
      equal(
        (await other.connect(lasting(world, "another"))).sessionPresent,
        false,
        "Session Present of another client",
      );
      await other.disconnect();
      await second.disconnect();
    },
  },
  {
    title: "a session that was found is cut from the network and resumed all the same",
    v4: "3.1.2-4",
    v5: "3.1.2-5 3.1.2-23",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("a"), { qos: 1 });
      await first.cut();
      const second = await world.open();
      equal((await second.connect(lasting(world, "me"))).sessionPresent, true, "Session Present");
    },
  },
  {
    title: "messages of QoS 1 and 2 wait for a session that is away, in order",
    v4: "3.1.2-5 4.5.0-1 3.2.0-1",
    v5: "3.1.2-5 4.5.0-1 3.2.0-1",
    async run(world) {
      const away = await world.connect(lasting(world, "me"));
      await away.subscribe(world.t("#"), { qos: 2 });
      await away.disconnect();
      const publisher = await world.connect();
      for (const [index, qos] of ([1, 2, 1, 2, 2] as const).entries()) {
        await publisher.publish(world.t("a"), `m${index}`, { qos });
      }
      const back = await world.open();
      // CONNACK comes before any of them.
      equal((await back.connect(lasting(world, "me"))).sessionPresent, true, "Session Present");
      const seen = new Map<number, number>();
      for (let index = 0; index < 5; index++) {
        const packet = await back.expect("publish", { topic: world.t("a"), dup: false, retain: false });
        seen.set(packet.packetId ?? 0, packet.qos);
      }
      equal(seen.size, 5, "packet identifiers");
      equal([...seen.values()], [1, 2, 1, 2, 2], "QoS in order");
      await back.expectNothing();
    },
  },
  {
    title: "a clean start discards what was there",
    v4: "3.1.2-6 3.1.4-3 3.2.2-1",
    v5: "3.1.2-4 3.1.4-4 3.2.2-2",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("a"), { qos: 1 });
      await first.disconnect();
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "queued", { qos: 1 });
      const clean = await world.open();
      equal((await clean.connect(fresh(world, "me"))).sessionPresent, false, "Session Present");
      await publisher.publish(world.t("a"), "live", { qos: 1 });
      await clean.expectNothing();
      await clean.disconnect();
      const last = await world.open();
      equal((await last.connect(lasting(world, "me"))).sessionPresent, false, "Session Present at the end");
      await last.expectNothing();
    },
  },
  {
    title: "a session without expiry ends with its connection",
    v4: "3.1.2-6",
    v5: "4.1.0-2",
    async run(world) {
      for (const leave of ["disconnect", "cut"] as const) {
        const first = await world.connect(fresh(world, "me"));
        await first.subscribe(world.t("a"), { qos: 1 });
        await first[leave]();
        const second = await world.open();
        equal((await second.connect(lasting(world, "me", 0))).sessionPresent, false, "Session Present");
        await (await world.connect()).publish(world.t("a"), "1", { qos: 1 });
        await second.expectNothing();
        await second.disconnect();
      }
    },
  },
  {
    title: "a session holds throughout a long connection",
    v4: "4.1.0-1 4.1.0-2",
    v5: "4.1.0-1",
    ownOnly: true,
    async run(world) {
      const client = await world.connect(fresh(world, "me"));
      await client.subscribe(world.t("a"), { qos: 2 });
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "1", { qos: 2 });
      const { packetId = 0 } = await client.expect("publish", { qos: 2 });
      client.send({ type: "pubrec", packetId, reasonCode: 0 });
      await client.expect("pubrel", { packetId });
      await world.advance(100_000_000);
      client.send({ type: "pubcomp", packetId, reasonCode: 0 });
      await publisher.publish(world.t("a"), "2", { qos: 2 });
      await client.take(world.t("a"), "2", { qos: 2 });
      await client.expectNothing();
    },
  },
  {
    title: "a session ends when its expiry interval is over, to the tenth of a second",
    v5: "4.1.0-2 3.1.2-23",
    ownOnly: true,
    async run(world) {
      for (const late of [false, true]) {
        const first = await world.connect(lasting(world, "me", 10));
        await first.subscribe(world.t("a"), { qos: 1 });
        await first.cut();
        await world.advance(late ? 10_000 : 9_900);
        const second = await world.open();
        equal((await second.connect(lasting(world, "me", 10))).sessionPresent, !late, "Session Present");
        await (await world.connect()).publish(world.t("a"), "1", { qos: 1 });
        if (late) await second.expectNothing();
        else await second.take(world.t("a"), "1");
        await second.disconnect();
        await world.advance(10_000);
        equal(
          [...(world.own?.broker.sessions() ?? [])].filter((one) => one.clientId === world.id("me")).length,
          0,
          "sessions",
        );
      }
    },
  },
  {
    title: "an interval of one second is over after three",
    v5: "4.1.0-2",
    async run(world) {
      const first = await world.connect(lasting(world, "me", 1));
      await first.subscribe(world.t("a"), { qos: 1 });
      await first.cut();
      await world.advance(3_000);
      const second = await world.open();
      equal((await second.connect(lasting(world, "me", 0))).sessionPresent, false, "Session Present");
    },
  },
  {
    title: "the largest interval never ends, and 3.1.1 sessions without Clean Session do not either",
    v4: "3.1.2-4",
    v5: "3.1.2-23",
    ownOnly: true,
    async run(world) {
      const first = await world.connect(lasting(world, "me", 0xffff_ffff));
      await first.disconnect();
      // Longer than a timer of the platform can be.
      await world.advance(30 * 86_400_000);
      const second = await world.open();
      equal((await second.connect(lasting(world, "me", 0xffff_ffff))).sessionPresent, true, "Session Present");
    },
  },
  {
    title: "DISCONNECT changes the expiry interval",
    v5: "",
    ownOnly: true,
    async run(world) {
      const first = await world.connect(lasting(world, "me", 10));
      first.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 100 } });
      await first.lastWords();
      await world.advance(99_900);
      const second = await world.open();
      equal((await second.connect(lasting(world, "me", 10))).sessionPresent, true, "Session Present after 99.9 s");
      second.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 0 } });
      await second.lastWords();
      const third = await world.open();
      equal((await third.connect(lasting(world, "me", 10))).sessionPresent, false, "Session Present after 0");
    },
  },
  {
    title: "the server caps the expiry interval, in CONNECT and in DISCONNECT, and says so",
    v5: "",
    broker: { session: { maximumExpiry: 20 } },
    async run(world) {
      const first = await world.open();
      const { properties } = await first.connect(lasting(world, "me", 1_000));
      equal(properties?.sessionExpiryInterval, 20, "Session Expiry Interval in CONNACK");
      first.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 500 } });
      await first.lastWords();
      await world.advance(20_000);
      const second = await world.open();
      equal((await second.connect(lasting(world, "me", 10))).sessionPresent, false, "Session Present");
    },
  },
  {
    title: "the server caps how long 3.1.1 sessions last",
    v4: "",
    broker: { session: { defaultExpiry: 20 } },
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.disconnect();
      await world.advance(20_000);
      const second = await world.open();
      equal((await second.connect(lasting(world, "me"))).sessionPresent, false, "Session Present");
    },
  },
  {
    title: "retained messages are no part of a session",
    v4: "3.1.2-7",
    v5: "",
    async run(world) {
      const publisher = await world.connect(fresh(world, "me"));
      await publisher.publish(world.t("a"), "kept", { retain: true, qos: 1 });
      await publisher.disconnect();
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("a"), { qos: 1 });
      await subscriber.take(world.t("a"), "kept", { retain: true });
    },
  },
  {
    title: "a session that is taken over goes on with the new connection",
    v4: "3.1.4-2 4.1.0-1",
    v5: "3.1.4-3",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("a"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "kept", { retain: true, qos: 1 });
      await first.take(world.t("a"), "kept", { retain: false });
      // The acknowledgement has arrived: connections have no order among each other.
      await first.expectAlive();
      const second = await world.open();
      equal((await second.connect(lasting(world, "me"))).sessionPresent, true, "Session Present");
      // Retained messages come with a subscription, not with a connection.
      await second.expectNothing();
      await publisher.publish(world.t("a"), "live", { qos: 1 });
      await second.take(world.t("a"), "live");
      await second.disconnect();
      await publisher.publish(world.t("a"), "", { retain: true });
    },
  },
  {
    title: "what a client says of its session does not hold for one of the other version",
    v4: "",
    v5: "",
    async run(world) {
      const other = world.version === 4 ? 5 : 4;
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("a"), { qos: 2 });
      await first.disconnect();
      const publisher = await world.connect();
      await publisher.publish(world.t("a"), "queued", { qos: 2 });
      const second = await world.open(other);
      const options =
        other === 4
          ? { clientId: world.id("me"), cleanStart: false }
          : { clientId: world.id("me"), cleanStart: false, properties: { sessionExpiryInterval: 60 } };
      equal((await second.connect(options)).sessionPresent, true, "Session Present");
      await second.take(world.t("a"), "queued", { qos: 2 });
      await second.expectNothing();
    },
  },
];
