// CONNECT and CONNACK: what is accepted, and what is refused and how.
import { text } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import {
  eachEnds,
  eachRefused,
  ends,
  ensure,
  equal,
  field,
  frame,
  ILL_FORMED,
  noProperties,
  rawConnect,
  refused,
} from "../wire.ts";
import type { World } from "../world.ts";

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** CONNECTs that deviate from the format, but not in name or version. */
function malformed(world: World): Uint8Array[] {
  const id = field(world.id("x"));
  const none = noProperties(world);
  const will = [none, field(world.t("w")), field("gone")];
  return [
    rawConnect(world, { flags: 0x03 }),
    rawConnect(world, { flags: 0x06 }),
    rawConnect(world, { flags: 0x0a }),
    rawConnect(world, { flags: 0x12 }),
    rawConnect(world, { flags: 0x22 }),
    rawConnect(world, { flags: 0x1e, payload: [id, ...will] }),
    rawConnect(world, { flags: 0x82 }),
    rawConnect(world, { flags: 0xc2, payload: [id, field("user")] }),
    rawConnect(world, { payload: [id, field("left over")] }),
    rawConnect(world, { payload: [] }),
    rawConnect(world, { flags: 0x06, payload: [id, none, field(world.t("w"))] }),
    frame(0x11, rawConnect(world).subarray(2)),
  ];
}

function illFormed(world: World, build: (text: Uint8Array) => Uint8Array): Uint8Array[] {
  void world;
  return [...ILL_FORMED, "61 00 62"].map((hex) => build(field({ hex })));
}

export const connect: readonly Check[] = [
  {
    title: "a valid CONNECT is answered by CONNACK with success",
    v4: "3.1.4-4 3.2.2-3 7.0.0-2",
    v5: "3.1.4-5 3.1.2-6 3.2.2-1",
    async run(world) {
      const client = await world.open();
      client.send(rawConnect(world, { flags: 0 }));
      const { bytes, packet } = await client.receive();
      if (world.version === 4) equal(Array.from(bytes), [0x20, 2, 0, 0], "CONNACK");
      ensure(packet.type === "connack" && packet.reasonCode === 0 && !packet.sessionPresent, "CONNACK is no success");
      equal((bytes[world.version === 4 ? 2 : bytes.length > 129 ? 3 : 2] ?? 0) & 0xfe, 0, "acknowledge flags");
      await client.subscribe(world.t("a"));
      await client.publish(world.t("a"), "1");
      await client.take(world.t("a"), "1");
    },
  },
  {
    title: "anything before CONNECT ends the connection without a packet",
    v4: "3.1.0-1 4.8.0-1",
    v5: "3.1.0-1 3.14.0-1 4.13.1-1",
    async run(world) {
      const none = noProperties(world);
      const wrongs = [
        frame(0xc0),
        frame(0x30, field(world.t("a")), none, "78"),
        frame(0x82, "00 01", none, field(world.t("a")), "00"),
        frame(0xe0),
        frame(0x20, "00 00", none),
        frame(0xf0),
      ];
      for (const wrong of wrongs) {
        const client = await world.open();
        client.send(wrong);
        await client.expectClosed();
      }
    },
  },
  {
    title: "a second CONNECT ends the connection, and no second CONNACK comes",
    v4: "3.1.0-2",
    v5: "3.1.0-2 3.2.0-2",
    async run(world) {
      const client = await world.connect();
      client.send(client.connectPacket({ clientId: world.id("again") }));
      await ends(world, client, 0x82);
      equal(client.history.filter(({ packet }) => packet.type === "connack").length, 1, "CONNACKs");
    },
  },
  {
    title: "a wrong protocol name is refused",
    v4: "3.1.2-1",
    v5: "3.1.2-1",
    async run(world) {
      // MQTT 3.1 is answered in the form of 3.1.1: see below.
      for (const name of ["mqtt", "XXXX", "MQTTX", "", ...(world.version === 4 ? ["MQIsdp"] : [])]) {
        const client = await world.open();
        client.send(rawConnect(world, { name }));
        const words = await client.lastWords();
        ensure(
          words.every((packet) => packet.type === "connack" && packet.reasonCode >= 0x80),
          `${name} was let in`,
        );
      }
    },
  },
  {
    title: "an unsupported protocol level is answered as such, then the connection ends",
    v4: "3.1.2-2 3.2.2-5",
    async run(world) {
      for (const level of [0, 1, 2]) {
        const client = await world.open();
        client.send(rawConnect(world, { level }));
        await client.expectHex("20 02 00 01");
        await client.expectClosed();
      }
    },
  },
  {
    title: "whatever the level, it is refused in the form of 3.1.1, so that its sender can fall back",
    v4: "3.1.2-2 3.2.2-5",
    v5: "3.1.2-2 3.2.2-7 4.13.2-1",
    ownOnly: true,
    async run(world) {
      const bystander = await world.connect();
      const unknown = [0, 1, 2, 3, 6, 7, 0x7f, 0x80, 0x82, 0x83, 0x86, 0xff].map((level) => ({ level }));
      for (const wrong of [...unknown, { name: "MQIsdp" }, { name: "MQIsdp", level: 0x84 }]) {
        const client = await world.open(4);
        client.send(rawConnect(world, wrong));
        await client.expectHex("20 02 00 01");
        await client.expectClosed();
      }
      await bystander.expectAlive();
    },
  },
  {
    title: "a bridge, by the bit in its level, gets no message back that it published, and the others as they were",
    v4: "",
    v5: "",
    ownOnly: true,
    async run(world) {
      const other = await world.connect();
      await other.publish("a/kept", "old", { retain: true });
      const bridge = await world.open();
      bridge.send(rawConnect(world, { level: 0x80 | world.version, payload: [field("bridge")] }));
      await bridge.expect("connack", { reasonCode: 0 });
      await bridge.subscribe("a/#", { qos: 2 });
      await bridge.take("a/kept", "old", { retain: true });
      for (const qos of [0, 1, 2] as const) {
        await bridge.publish("a/own", "mine", { qos, retain: true });
        await other.publish("a/b", "live", { qos });
        await bridge.take("a/b", "live", { qos, retain: false });
        await other.publish("a/b", "live and kept", { qos, retain: true });
        await bridge.take("a/b", "live and kept", { qos, retain: true });
      }
      await bridge.expectNothing();
      // In a group one member has to take it.
      if (world.version === 4) return;
      await bridge.unsubscribe("a/#");
      await bridge.subscribe("$share/g/a/#", { qos: 1 });
      await bridge.publish("a/b", "for the group");
      await bridge.take("a/b", "for the group");
    },
  },
  {
    title: "a CONNECT of a bridge is held to the rules of its version",
    v4: "3.1.2-3",
    v5: "3.1.2-3",
    ownOnly: true,
    async run(world) {
      const level = 0x80 | world.version;
      await eachRefused(
        world,
        [rawConnect(world, { level, flags: 0x03 }), rawConnect(world, { level, payload: [] })],
        0x81,
      );
    },
  },
  {
    title: "the reserved connect flag has to be 0",
    v4: "3.1.2-3",
    v5: "3.1.2-3",
    run: (world) => eachRefused(world, [rawConnect(world, { flags: 0x03 })], 0x81),
  },
  {
    title: "malformed CONNECTs are refused, each on its own connection",
    v4: "3.1.4-1 3.1.2-9 3.1.2-11 3.1.2-13 3.1.2-14 3.1.2-15 3.1.2-18 3.1.2-19 3.1.2-20 3.1.2-21 3.1.3-3 2.2.2-2",
    v5: "3.1.4-1 3.1.2-9 3.1.2-11 3.1.2-12 3.1.2-13 3.1.2-16 3.1.2-17 3.1.2-18 3.1.2-19 3.1.3-3 2.1.3-1 4.13.1-1",
    run: (world) => eachRefused(world, malformed(world), 0x81),
  },
  {
    title: "a password without a user name is refused",
    v4: "3.1.2-22",
    run: (world) =>
      eachRefused(world, [rawConnect(world, { flags: 0x42, payload: [field(world.id("x")), field("secret")] })]),
  },
  {
    title: "a password without a user name is let in",
    v5: "",
    async run(world) {
      const client = await world.open();
      client.send(rawConnect(world, { flags: 0x42, payload: [field(world.id("x")), field("secret")] }));
      await client.expect("connack", { reasonCode: 0 });
    },
  },
  {
    title: "client identifier, will topic and user name of ill-formed text are refused",
    v4: "1.5.3-1 1.5.3-2 3.1.3-4 3.1.3-10 3.1.3-11",
    v5: "1.5.4-1 1.5.4-2 3.1.3-4 3.1.3-11 3.1.3-12",
    async run(world) {
      const id = field(world.id("x"));
      const none = noProperties(world);
      await eachRefused(world, [
        ...illFormed(world, (name) => rawConnect(world, { payload: [name] })),
        ...illFormed(world, (topic) => rawConnect(world, { flags: 0x06, payload: [id, none, topic, field("gone")] })),
        ...illFormed(world, (user) => rawConnect(world, { flags: 0x82, payload: [id, user] })),
      ]);
    },
  },
  {
    title: "the fields of the payload are read in their order",
    v4: "3.1.3-1",
    v5: "3.1.3-1",
    broker: () => ({
      hooks: {
        authenticate: (client, password) =>
          client.clientId === "the-id" &&
          client.username === "the user" &&
          text(password ?? new Uint8Array()) === "the password",
      },
    }),
    async run(world) {
      const watcher = await world.open();
      watcher.send(
        watcher.connectPacket({
          clientId: "the-id",
          username: "the user",
          password: new TextEncoder().encode("the password"),
        }),
      );
      await watcher.expect("connack", { reasonCode: 0 });
      await watcher.cut();
      const client = await world.open();
      client.send(
        rawConnect(world, {
          flags: 0xc6,
          payload: [
            field("the-id"),
            noProperties(world),
            field("the/will"),
            field("the will message"),
            field("the user"),
            field("the password"),
          ],
        }),
      );
      await client.expect("connack", { reasonCode: 0 });
      await client.subscribe("the/will");
      await client.publish("the/will", "still here");
      await client.take("the/will", "still here");
    },
  },
  {
    title: "identifiers of 1 to 23 letters and digits are let in",
    v4: "3.1.3-5",
    v5: "3.1.3-5",
    async run(world) {
      const ids = ["Z", "0", ALPHABET.slice(0, 23), ALPHABET.slice(23, 46), ALPHABET.slice(39)];
      for (const clientId of ids) {
        const client = await world.open();
        await client.connect({ clientId });
        await client.disconnect();
      }
    },
  },
  {
    title: "clients with an empty identifier get one each",
    v4: "3.1.3-6",
    v5: "3.1.3-6 3.2.2-16",
    async run(world) {
      const clients = [await world.open(), await world.open(), await world.open()];
      const assigned = new Set<string | undefined>();
      for (const client of clients) {
        const { properties } = await client.connect({ clientId: "" });
        assigned.add(properties?.assignedClientIdentifier);
      }
      for (const client of clients) await client.expectAlive();
      if (world.version === 5) {
        equal(assigned.size, clients.length, "identifiers");
        ensure(!assigned.has(undefined) && !assigned.has(""), "no identifier was assigned");
      }
    },
  },
  {
    title: "a session is found again by the identifier that the server assigned",
    v5: "3.1.3-7",
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({
        clientId: "",
        cleanStart: false,
        properties: { sessionExpiryInterval: 60 },
      });
      await client.disconnect();
      const again = await world.open();
      const clientId = properties?.assignedClientIdentifier ?? "";
      const answer = await again.connect({ clientId, cleanStart: false });
      equal(answer.sessionPresent, true, "Session Present");
      equal(answer.properties?.assignedClientIdentifier, undefined, "assigned identifier");
    },
  },
  {
    title: "an empty identifier without Clean Session is rejected",
    v4: "3.1.3-7 3.1.3-8",
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "", cleanStart: false }));
      await client.expectHex("20 02 00 02");
      await client.expectClosed();
    },
  },
  {
    title: "an identifier that the server does not want is rejected",
    v4: "3.1.3-9 3.2.2-5",
    v5: "3.1.3-8 3.2.2-7",
    broker: { limits: { maxClientIdLength: 30 } },
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "x".repeat(31) }));
      if (world.version === 4) {
        await client.expectHex("20 02 00 02");
        await client.expectClosed();
      } else await refused(world, client, 0x85);
      await (await world.open()).connect({ clientId: "x".repeat(30) });
    },
  },
  {
    title: "wrong credentials are refused with the code for it, and Session Present 0",
    v4: "3.2.2-4 3.2.2-5 3.2.2-6",
    v5: "3.1.4-2 3.2.2-6 3.2.2-7 3.2.2-8",
    broker: {
      hooks: {
        authenticate: ({ username }) => {
          if (username === "wrong") return { reasonCode: 0x86 };
          if (username === "banned") return { reasonCode: 0x8a };
          if (username === "odd") return { reasonCode: 0x82 };
          return true;
        },
      },
    },
    async run(world) {
      const session = { clientId: "me", cleanStart: false, properties: { sessionExpiryInterval: 60 } };
      const first = await world.open();
      await first.connect(session);
      await first.disconnect();
      const codes: Record<string, number | undefined> = { wrong: 4, banned: 5, odd: undefined };
      for (const [username, code] of Object.entries(codes)) {
        const client = await world.open();
        client.send(client.connectPacket({ ...session, username }));
        if (world.version === 5) await refused(world, client, { wrong: 0x86, banned: 0x8a, odd: 0x82 }[username]);
        else if (code === undefined) await client.expectClosed();
        else {
          await client.expectHex(`20 02 00 0${code}`);
          await client.expectClosed();
        }
      }
      const again = await world.open();
      equal((await again.connect(session)).sessionPresent, true, "Session Present");
    },
  },
  {
    title: "what follows a refused CONNECT is ignored",
    v4: "3.1.4-5",
    v5: "3.1.4-6",
    broker: { hooks: { authenticate: ({ username }) => username !== "wrong" } },
    async run(world) {
      const observer = await world.connect();
      await observer.subscribe("#");
      const client = await world.open();
      client.send(
        client.connectPacket({ clientId: "me", username: "wrong" }),
        client.publishPacket("a", "1"),
        client.publishPacket("a", "2", { qos: 1 }),
      );
      const words = await client.lastWords();
      equal(
        words.map(({ type }) => type),
        ["connack"],
        "packets",
      );
      await observer.expectNothing();
    },
  },
  {
    title: "an identifier that is in use is taken over: the older connection ends",
    v4: "3.1.4-2 3.1.3-2",
    v5: "3.1.4-3 3.1.3-2",
    async run(world) {
      const clientId = world.id("one");
      const other = await world.connect({ clientId: world.id("two") });
      const first = await world.connect({ clientId });
      const second = await world.connect({ clientId });
      await ends(world, first, 0x8e);
      await second.expectAlive();
      await other.expectAlive();
    },
  },
  {
    title: "a client that says nothing is disconnected after the connect timeout",
    v4: "",
    v5: "",
    broker: { limits: { connectTimeout: 5_000 } },
    async run(world) {
      const client = await world.open();
      client.send("10");
      await world.advance(4_999);
      await client.expectNothing();
      await world.advance(1);
      await client.expectClosed();
    },
  },
  {
    title: "more clients than the server takes are told so",
    v4: "",
    v5: "3.2.2-8",
    broker: { limits: { maxConnections: 1 } },
    async run(world) {
      await world.connect();
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "two" }));
      if (world.version === 4) {
        await client.expectHex("20 02 00 03");
        await client.expectClosed();
      } else await refused(world, client, 0x97);
    },
  },
  {
    title: "the packets that only a server sends end the connection",
    v4: "4.8.0-1",
    v5: "4.13.1-1 3.14.4-1 3.14.4-2",
    async run(world) {
      const none = noProperties(world);
      const [connack, suback, unsuback, pingresp] = [
        frame(0x20, "00 00", none),
        frame(0x90, "00 01", none, "00"),
        frame(0xb0, "00 01", none, world.version === 5 ? "00" : ""),
        frame(0xd0),
      ];
      await eachEnds(world, [connack, suback, unsuback, pingresp], 0x82);
    },
  },
];
