// MQTT 5.0: DISCONNECT from the server: its codes, its form, that it arrives, and that nothing follows it.
import type { Check } from "../check.ts";
import { eachEnds, ends, ensure, equal, field, frame, section } from "../wire.ts";
import { lasting } from "./session.ts";

export const disconnect: readonly Check[] = [
  {
    title: "a client that is still sending gets its DISCONNECT all the same",
    v5: "3.14.4-1 3.14.4-2 4.13.2-1",
    async run(world) {
      const client = await world.connect();
      const flood = Array.from({ length: 50 }, (_, index) => client.publishPacket(world.t("a"), `x${index}`));
      client.send(...flood, frame(0x36, field(world.t("a")), "00 01 00 78"), ...flood);
      client.send(...flood);
      await ends(world, client, 0x81);
    },
  },
  {
    title: "the codes of the server's DISCONNECT are those that the standard has for it",
    v5: "3.14.2-1 3.14.2-2 3.1.4-3",
    ownOnly: true,
    async run(world) {
      const broker = world.own?.broker;
      const taken = await world.connect({ clientId: "taken" });
      await world.connect({ clientId: "taken" });
      const kicked = await world.connect({ clientId: "kicked" });
      broker?.disconnect("kicked");
      const removed = await world.connect({ clientId: "removed" });
      broker?.removeSession("removed");
      const silent = await world.connect({ clientId: "silent", keepAlive: 1 });
      await world.advance(1_500);
      const seen: Record<string, number | undefined> = {};
      for (const [name, client] of Object.entries({ taken, kicked, removed, silent })) {
        const [last, ...more] = await client.lastWords();
        ensure(last?.type === "disconnect" && more.length === 0, name);
        equal(last.properties?.sessionExpiryInterval, undefined, "Session Expiry Interval");
        seen[name] = last.reasonCode;
      }
      equal(seen, { taken: 0x8e, kicked: 0x98, removed: 0x98, silent: 0x8d }, "codes");
    },
  },
  {
    title: "at shutdown every client is told, and a client of 3.1.1 is cut off",
    v4: "",
    v5: "3.14.2-1",
    ownOnly: true,
    async run(world) {
      const clients = [await world.connect(), await world.connect()];
      await world.own?.stop();
      for (const client of clients) {
        const words = await client.lastWords();
        equal(
          words.map((packet) => (packet.type === "disconnect" ? packet.reasonCode : 0)),
          world.version === 5 ? [0x8b] : [],
          "last words",
        );
      }
      await world.own?.broker.start();
    },
  },
  {
    title: "Session Expiry Interval cannot be raised from 0 in DISCONNECT",
    v5: "4.13.1-1",
    async run(world) {
      const client = await world.connect({ clientId: world.id("me") });
      client.send({ type: "disconnect", reasonCode: 0, properties: { sessionExpiryInterval: 10 } });
      await ends(world, client, 0x82);
      const again = await world.open();
      equal((await again.connect({ ...lasting(world, "me", 0) })).sessionPresent, false, "Session Present");
    },
  },
  {
    title: "a DISCONNECT with a code or property that a client may not send ends the connection with DISCONNECT",
    v5: "3.14.1-1 3.14.2-1",
    async run(world) {
      await eachEnds(world, [frame(0xe1), frame(0xe2), frame(0xe8, "00")], 0x81);
      for (const wrong of [frame(0xe0, "01"), frame(0xe0, "18 00"), frame(0xe0, "00", section("17 01"))]) {
        const client = await world.connect();
        client.send(wrong);
        const words = await client.lastWords();
        if (world.own !== undefined)
          equal(
            words.map(({ type }) => type),
            ["disconnect"],
            "last words",
          );
      }
    },
  },
  {
    title: "every form of a client's DISCONNECT is understood",
    v5: "3.14.4-3",
    async run(world) {
      const forms = [frame(0xe0), frame(0xe0, "00"), frame(0xe0, "00 00"), frame(0xe0, "81"), frame(0xe0, "04 00")];
      for (const form of [...forms, frame(0xe0, "00", section("1f 00 03 62 79 65", "26 00 01 61 00 01 62"))]) {
        const client = await world.connect();
        client.send(form);
        await client.expectClosed();
      }
    },
  },
];
