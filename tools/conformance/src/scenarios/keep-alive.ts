// Keep alive: silence for one and a half times the interval ends a connection.
import type { Check } from "../check.ts";
import { ends, equal } from "../wire.ts";

export const keepAlive: readonly Check[] = [
  {
    title: "silence for 1.5 times the keep-alive ends the connection, to the tenth of a second",
    v4: "3.1.2-24",
    v5: "3.1.2-22 3.2.2-22",
    ownOnly: true,
    async run(world) {
      for (const keepAlive of [1, 2, 60, 65_535]) {
        const client = await world.open();
        const { properties } = await client.connect({ clientId: world.id("me"), keepAlive });
        equal(properties?.serverKeepAlive, undefined, "Server Keep Alive");
        await world.advance(keepAlive * 1_500 - 100);
        await client.expectNothing();
        await world.advance(100);
        await ends(world, client, 0x8d);
      }
    },
  },
  {
    title: "silence of four seconds is too much for a keep-alive of two",
    v4: "3.1.2-24",
    v5: "3.1.2-22",
    async run(world) {
      const client = await world.connect({ keepAlive: 2 });
      await world.advance(2_500);
      await client.expectNothing();
      await world.advance(1_500);
      await ends(world, client, 0x8d);
    },
  },
  {
    title: "PINGREQ, or any other packet, keeps a connection open",
    v4: "3.1.2-24 3.12.4-1",
    v5: "3.1.2-22 3.12.4-1",
    ownOnly: true,
    async run(world) {
      const client = await world.connect({ keepAlive: 10 });
      for (let round = 0; round < 10; round++) {
        await world.advance(14_900);
        if (round % 2 === 0) {
          client.send("c0 00");
          await client.expectHex("d0 00");
        } else client.send(client.publishPacket(world.t("a"), "1"));
        await client.expectNothing();
      }
      await world.advance(15_000);
      await ends(world, client, 0x8d);
    },
  },
  {
    title: "a keep-alive of 0 never ends a connection",
    v4: "3.1.2-24",
    v5: "3.1.2-22",
    ownOnly: true,
    async run(world) {
      const client = await world.connect({ keepAlive: 0 });
      await world.advance(10_000_000);
      await client.expectAlive();
    },
  },
  {
    title: "what the server sends does not keep a connection open",
    v4: "3.1.2-24",
    v5: "3.1.2-22",
    ownOnly: true,
    async run(world) {
      const client = await world.connect({ keepAlive: 2 });
      await client.subscribe(world.t("a"));
      const publisher = await world.connect();
      await world.advance(2_000);
      await publisher.publish(world.t("a"), "1");
      await client.take(world.t("a"), "1");
      await world.advance(1_000);
      await ends(world, client, 0x8d);
    },
  },
  {
    title: "a Server Keep Alive takes the place of what the client asked for",
    v5: "3.2.2-21 3.1.2-21",
    broker: { limits: { keepAliveMaximum: 10 } },
    async run(world) {
      for (const keepAlive of [0, 60]) {
        const client = await world.open();
        const { properties } = await client.connect({ clientId: "me", keepAlive });
        equal(properties?.serverKeepAlive, 10, "Server Keep Alive");
        await world.advance(14_900);
        await client.expectNothing();
        await world.advance(100);
        await ends(world, client, 0x8d);
      }
      const quick = await world.open();
      equal((await quick.connect({ clientId: "me", keepAlive: 5 })).properties?.serverKeepAlive, undefined, "none");
    },
  },
  {
    title: "a client that has stopped reading is cut off all the same",
    v4: "3.1.2-24",
    v5: "3.1.2-22",
    ownOnly: true,
    async run(world) {
      const frozen = await world.connect({ keepAlive: 2, clientId: "frozen" });
      await frozen.subscribe(world.t("a"));
      frozen.freeze();
      const publisher = await world.connect();
      for (let round = 0; round < 3; round++) {
        await publisher.publish(world.t("a"), "x".repeat(100_000));
        await world.advance(10);
      }
      await world.advance(10_000);
      equal(world.own?.broker.metrics()["clientsConnected"], 1, "clients connected");
      equal(frozen.closed, true, "connection closed");
    },
  },
];
