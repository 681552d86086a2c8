// MQTT 5.0: enhanced authentication, with a plugin whose method has two steps.
import type { ClientInfo, Hooks } from "@wrenmq/plugin-api";
import { type RawClient, text } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { eachRefused, ends, ensure, equal, field, frame, rawConnect, refused, section } from "../wire.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The client sends "hello", gets "who?", sends "me" and gets "welcome". */
const HOOKS: Hooks = {
  authenticationMethods: {
    knock: (_client: ClientInfo) => {
      let asked = false;
      return {
        next(data) {
          const said = text(data ?? new Uint8Array());
          if (!asked) {
            asked = true;
            return said === "hello"
              ? { status: "continue", data: bytes("who?") }
              : { status: "failure", reasonCode: 0x87, reasonString: "say hello" };
          }
          return said === "me"
            ? { status: "success", data: bytes("welcome") }
            : { status: "failure", reasonCode: 0x87, reasonString: "go away ".repeat(10) };
        },
      };
    },
    late: () => ({ next: () => Promise.resolve({ status: "success" as const }) }),
  },
};

const broker = { hooks: HOOKS };
const METHOD = { authenticationMethod: "knock" };

async function begin(client: RawClient, hello: string = "hello", more: object = {}): Promise<void> {
  client.send(
    client.connectPacket({
      clientId: "me",
      properties: { ...METHOD, authenticationData: bytes(hello), ...more },
    }),
  );
  if (hello === "hello") {
    await client.expect("auth", { reasonCode: 0x18, properties: { ...METHOD, authenticationData: bytes("who?") } });
  }
}

function say(client: RawClient, what: string, reasonCode: 0 | 0x18 | 0x19 = 0x18, method: string = "knock"): void {
  client.send({
    type: "auth",
    reasonCode,
    properties: { authenticationMethod: method, authenticationData: bytes(what) },
  });
}

async function enter(client: RawClient, more: object = {}): Promise<void> {
  await begin(client, "hello", more);
  say(client, "me");
  await client.expect("connack", {
    reasonCode: 0,
    properties: { ...METHOD, authenticationData: bytes("welcome") },
  });
}

export const auth: readonly Check[] = [
  {
    title: "a method of several steps lets a client in; all packets name the method",
    v5: "4.12.0-2 4.12.0-3 4.12.0-5 3.2.0-1 3.15.2-1",
    broker,
    async run(world) {
      const client = await world.open();
      await enter(client);
      await client.subscribe("a");
      await client.publish("a", "x");
      await client.take("a", "x");
    },
  },
  {
    title: "a method that answers later lets a client in",
    v5: "4.12.0-5",
    broker,
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "me", properties: { authenticationMethod: "late" } }));
      const { properties } = await client.expect("connack", { reasonCode: 0 });
      equal(properties?.authenticationMethod, "late", "method");
    },
  },
  {
    title: "a method that the server does not know is refused",
    v5: "4.12.0-1",
    async run(world) {
      const client = await world.open();
      client.send(
        client.connectPacket({ clientId: world.id("me"), properties: { authenticationMethod: "no-such-method" } }),
      );
      await refused(world, client, 0x8c);
    },
  },
  {
    title: "the server may refuse at any step",
    v5: "4.12.0-4",
    broker,
    async run(world) {
      const first = await world.open();
      await begin(first, "good day");
      await refused(world, first, 0x87);
      const second = await world.open();
      await begin(second);
      say(second, "nobody");
      await refused(world, second, 0x87);
    },
  },
  {
    title: "an answer with another code or another method ends the connection",
    v5: "4.12.0-3 4.12.0-5 3.15.2-1",
    broker,
    async run(world) {
      for (const [reasonCode, method] of [
        [0x19, "knock"],
        [0, "knock"],
        [0x18, "late"],
      ] as const) {
        const client = await world.open();
        await begin(client);
        say(client, "me", reasonCode, method);
        const words = await client.lastWords();
        ensure(
          words.every((packet) => packet.type === "connack" && packet.reasonCode >= 0x80),
          "let in",
        );
      }
      const odd = await world.open();
      await begin(odd);
      odd.send(frame(0xf0, "01", section("15", field("knock"))));
      ensure(
        (await odd.lastWords()).every((packet) => packet.type === "connack" && packet.reasonCode >= 0x80),
        "let in",
      );
    },
  },
  {
    title: "before CONNACK nothing but AUTH and DISCONNECT is taken",
    v5: "3.1.2-30 3.14.0-1",
    broker,
    async run(world) {
      for (const early of [
        frame(0xc0),
        frame(0x30, field("a"), "00", "78"),
        frame(0x82, "00 01 00", field("a"), "00"),
      ]) {
        const client = await world.open();
        await begin(client);
        client.send(early);
        const words = await client.lastWords();
        ensure(
          words.every((packet) => packet.type === "connack" && packet.reasonCode >= 0x80),
          "taken",
        );
      }
      const gone = await world.open();
      await begin(gone);
      gone.send({ type: "disconnect", reasonCode: 0 });
      await gone.expectClosed();
    },
  },
  {
    title: "without a method no AUTH comes, and one from the client ends the connection",
    v5: "4.12.0-6 4.12.0-7",
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({ clientId: world.id("me") });
      equal(properties?.authenticationMethod, undefined, "method");
      say(client, "hello", 0x19);
      await ends(world, client, 0x82);
      ensure(
        client.history.every(({ packet }) => packet.type !== "auth"),
        "AUTH came",
      );
      const empty = await world.connect();
      empty.send("f0 00");
      await ends(world, empty, 0x82);
    },
  },
  {
    title: "re-authentication goes through the same steps, and messages flow meanwhile; there is no second CONNACK",
    v5: "4.12.1-1 3.2.0-2 4.12.0-5",
    broker,
    async run(world) {
      const client = await world.open();
      await enter(client);
      await client.subscribe("a");
      for (let round = 0; round < 2; round++) {
        say(client, "hello", 0x19);
        await client.expect("auth", { reasonCode: 0x18, properties: { ...METHOD, authenticationData: bytes("who?") } });
        await client.publish("a", "meanwhile");
        await client.take("a", "meanwhile");
        say(client, "me");
        await client.expect("auth", { reasonCode: 0, properties: { ...METHOD, authenticationData: bytes("welcome") } });
      }
      await client.expectAlive();
      equal(client.history.filter(({ packet }) => packet.type === "connack").length, 1, "CONNACKs");
    },
  },
  {
    title: "re-authentication that fails, or names another method, or begins out of turn, ends the connection",
    v5: "4.12.1-1 4.12.1-2 4.12.0-5",
    broker,
    async run(world) {
      const wrong: readonly (readonly [(client: RawClient) => Promise<void> | void, number])[] = [
        [(client) => say(client, "hello", 0x19, "late"), 0x82],
        [(client) => say(client, "hello", 0x18), 0x82],
        [(client) => say(client, "good day", 0x19), 0x87],
        [
          async (client) => {
            say(client, "hello", 0x19);
            await client.expect("auth", { reasonCode: 0x18 });
            say(client, "nobody");
          },
          0x87,
        ],
      ];
      for (const [act, reasonCode] of wrong) {
        const client = await world.open();
        await enter(client);
        await act(client);
        await ends(world, client, reasonCode);
      }
    },
  },
  {
    title: "AUTH packets keep within a small Maximum Packet Size",
    v5: "3.15.2-2",
    broker,
    async run(world) {
      const client = await world.open();
      await begin(client, "hello", { maximumPacketSize: 60 });
      say(client, "nobody");
      await client.lastWords();
      ensure(
        client.history.every(({ bytes: packet }) => packet.length <= 60),
        "a packet over 60 bytes",
      );
    },
  },
  {
    title: "Authentication Data without a method is refused",
    v5: "4.13.1-1",
    run: (world) => eachRefused(world, [rawConnect(world, { properties: section("16 00 01 61") })], 0x82),
  },
  {
    title: "a plugin can send a client elsewhere",
    v5: "3.2.2-7 3.2.2-8",
    broker: {
      hooks: {
        authorizeConnect: () =>
          ({ reasonCode: 0x9c, reasonString: "full", serverReference: "other.example:1883" }) as never,
      },
    },
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "me" }));
      await client.expect("connack", { reasonCode: 0x9c, properties: { serverReference: "other.example:1883" } });
      await client.expectClosed();
    },
  },
];
