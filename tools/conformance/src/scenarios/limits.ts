// MQTT 5.0: limits that client and server announce to each other: quotas, sizes, aliases, capabilities.
import type { Check } from "../check.ts";
import { eachEnds, ends, ensure, equal, field, frame, refused, section } from "../wire.ts";
import { lasting } from "./session.ts";

export const limits: readonly Check[] = [
  {
    title: "the server keeps to the Receive Maximum of the client, and each acknowledgement lets one more through",
    v5: "3.3.4-9 4.9.0-1 4.9.0-2",
    async run(world) {
      const client = await world.connect({ properties: { receiveMaximum: 2 } });
      await client.subscribe(world.t("q"), { qos: 2 });
      const publisher = await world.connect();
      for (const [index, qos] of ([1, 2, 1, 2, 1] as const).entries()) {
        await publisher.publish(world.t("q"), String(index), { qos });
      }
      const one = await client.expect("publish");
      const two = await client.expect("publish");
      await client.expectNothing();
      // PUBREC keeps the quota; PUBCOMP, PUBACK and a refusal return it.
      client.send({ type: "pubrec", packetId: two.packetId ?? 0, reasonCode: 0 });
      await client.expect("pubrel");
      await client.expectNothing();
      client.send({ type: "puback", packetId: one.packetId ?? 0, reasonCode: 0 });
      const three = await client.expect("publish");
      await client.expectNothing();
      client.send({ type: "pubcomp", packetId: two.packetId ?? 0, reasonCode: 0 });
      const four = await client.expect("publish");
      await client.expectNothing();
      client.send({ type: "pubrec", packetId: four.packetId ?? 0, reasonCode: 0x80 });
      const five = await client.expect("publish");
      client.send({ type: "puback", packetId: three.packetId ?? 0, reasonCode: 0x80 });
      await client.acknowledge(five);
      await client.expectNothing();
    },
  },
  {
    title: "a Receive Maximum of 1 brings one message at a time; QoS 0 does not count",
    v5: "4.9.0-1 3.3.4-9",
    async run(world) {
      const client = await world.connect({ properties: { receiveMaximum: 1 } });
      await client.subscribe(world.t("q"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("q"), "a", { qos: 1 });
      await publisher.publish(world.t("q"), "b", { qos: 1 });
      const first = await client.expect("publish", { qos: 1 });
      await publisher.publish(world.t("q"), "c");
      await client.expect("publish", { qos: 0 });
      await client.expectNothing();
      await client.acknowledge(first);
      await client.take(world.t("q"), "b");
    },
  },
  {
    title: "a full window holds back nothing but PUBLISH",
    v5: "3.3.4-10 4.9.0-3",
    async run(world) {
      const client = await world.connect({ properties: { receiveMaximum: 1 } });
      await client.subscribe(world.t("q"), { qos: 2 });
      const publisher = await world.connect();
      await publisher.publish(world.t("q"), "a", { qos: 2 });
      await publisher.publish(world.t("q"), "b", { qos: 2 });
      const { packetId = 0 } = await client.expect("publish");
      await client.expectAlive();
      await client.subscribe(world.t("other"));
      await client.publish(world.t("third"), "x", { qos: 1 });
      await client.publish(world.t("third"), "x", { qos: 2 });
      await client.unsubscribe(world.t("other"));
      client.send({ type: "pubrec", packetId, reasonCode: 0 });
      await client.expect("pubrel", { packetId });
    },
  },
  {
    title: "the window holds for what is sent again on another connection",
    v5: "3.3.4-9 4.9.0-2",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("q"), { qos: 1 });
      const publisher = await world.connect();
      for (const payload of "abcd") await publisher.publish(world.t("q"), payload, { qos: 1 });
      for (const _ of "abcd") await first.expect("publish");
      await first.cut();
      const options = lasting(world, "me");
      const second = await world.connect({
        ...options,
        properties: { sessionExpiryInterval: 60, receiveMaximum: 2 },
      });
      const again = [await second.expect("publish", { dup: true }), await second.expect("publish", { dup: true })];
      await second.expectNothing();
      for (const packet of again) await second.acknowledge(packet);
      await second.take(world.t("q"), "c", { dup: true });
      await second.take(world.t("q"), "d", { dup: true });
    },
  },
  {
    title: "a client that exceeds the server's Receive Maximum is disconnected; QoS 2 counts until PUBCOMP",
    v5: "3.3.4-7",
    broker: { limits: { receiveMaximum: 3 } },
    async run(world) {
      const client = await world.open();
      equal((await client.connect({ clientId: "me" })).properties?.receiveMaximum, 3, "Receive Maximum");
      for (let packetId = 1; packetId <= 3; packetId++) {
        client.send(client.publishPacket("a", "x", { qos: 2, packetId }));
        await client.expect("pubrec", { packetId });
      }
      // One identifier is released: there is room for one message, of either QoS.
      client.send({ type: "pubrel", packetId: 2, reasonCode: 0 });
      await client.expect("pubcomp", { packetId: 2 });
      for (let packetId = 10; packetId < 20; packetId++) {
        client.send(client.publishPacket("a", "x", { qos: 1, packetId }));
        await client.expect("puback", { packetId });
      }
      client.send(client.publishPacket("a", "x", { qos: 2, packetId: 2 }));
      await client.expect("pubrec", { packetId: 2 });
      // The same message again is not a new one.
      client.send(client.publishPacket("a", "x", { qos: 2, packetId: 2, dup: true }));
      await client.expect("pubrec", { packetId: 2 });
      client.send(client.publishPacket("a", "x", { qos: 2, packetId: 4 }));
      await ends(world, client, 0x93);
    },
  },
  {
    title: "a client that fills the server's window while acknowledgements wait is not disconnected",
    v5: "3.3.4-7",
    broker: { limits: { receiveMaximum: 4, maxQueuedMessages: 1, maxInflight: 1, overflow: "backpressure" } },
    async run(world) {
      for (const qos of [1, 2] as const) {
        const slow = await world.connect({ clientId: "slow" });
        await slow.subscribe("a", { qos: 1 });
        const client = await world.connect({ clientId: "me" });
        for (let packetId = 1; packetId <= 4; packetId++)
          client.send(client.publishPacket("a", "x", { qos, packetId }));
        await client.rest();
        ensure(!client.closed, `QoS ${qos}: disconnected within the Receive Maximum`);
        await client.expectAlive();
        await slow.cut();
        await client.cut();
      }
    },
  },
  {
    title: "nothing larger than the client's Maximum Packet Size is sent, and what follows a dropped message arrives",
    v5: "3.1.2-24 3.1.2-25",
    async run(world) {
      const options = {
        ...lasting(world, "me"),
        properties: { sessionExpiryInterval: 60, maximumPacketSize: 100, receiveMaximum: 1 },
      };
      const client = await world.connect(options);
      await client.subscribe(world.t("q"), { qos: 2 });
      const publisher = await world.connect();
      const big = "x".repeat(500);
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish(world.t("q"), big, { qos });
        await publisher.publish(world.t("q"), "small", { qos });
        await client.take(world.t("q"), "small", { qos });
      }
      await client.expectNothing();
      await client.disconnect();
      // Queued while the client is not connected.
      await publisher.publish(world.t("q"), big, { qos: 1 });
      await publisher.publish(world.t("q"), "queued", { qos: 1 });
      const again = await world.connect(options);
      await again.take(world.t("q"), "queued", { dup: false });
      await again.expectNothing();
      await again.disconnect();
      const last = await world.connect(options);
      await last.expectNothing();
      ensure(
        [...client.history, ...again.history].every(({ bytes }) => bytes.length <= 100),
        "a packet over 100 bytes",
      );
      if (world.own !== undefined) equal(world.own.broker.metrics()["droppedTooLarge"], 4, "dropped");
    },
  },
  {
    title: "a message exactly as large as the client takes is sent",
    v5: "3.1.2-24",
    async run(world) {
      const client = await world.connect({ properties: { maximumPacketSize: 60 } });
      await client.subscribe(world.t("q"), { qos: 1 });
      const publisher = await world.connect();
      const room = 60 - 2 - 2 - world.t("q").length - 2 - 1;
      await publisher.publish(world.t("q"), "x".repeat(room + 1), { qos: 1 });
      await publisher.publish(world.t("q"), "x".repeat(room), { qos: 1 });
      const { bytes } = await client.receive();
      equal(bytes.length, 60, "bytes");
    },
  },
  {
    title: "a retransmission that has become too large is dropped and holds nothing up",
    v5: "3.1.2-24 3.1.2-25",
    async run(world) {
      const first = await world.connect(lasting(world, "me"));
      await first.subscribe(world.t("q"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("q"), "x".repeat(200), { qos: 1 });
      await publisher.publish(world.t("q"), "small", { qos: 1 });
      await first.expect("publish");
      await first.expect("publish");
      await first.cut();
      const second = await world.connect({
        ...lasting(world, "me"),
        properties: { sessionExpiryInterval: 60, maximumPacketSize: 100 },
      });
      await second.take(world.t("q"), "small", { dup: true });
      await second.expectNothing();
    },
  },
  {
    title: "answers keep within a small Maximum Packet Size, without Reason String where it would not fit",
    v5: "3.1.2-24 3.4.2-2 3.5.2-2 3.9.2-1 3.11.2-1 3.14.2-3 3.2.2-19",
    broker: {
      hooks: {
        authenticate: ({ username }) =>
          username === "wrong"
            ? { reasonCode: 0x87, reasonString: "you are not on the list of those who may come in" }
            : true,
        authorize: () => ({ reasonCode: 0x87, reasonString: "no ".repeat(30) }),
      },
    },
    async run(world) {
      const properties = { maximumPacketSize: 60 };
      const outside = await world.open();
      outside.send(outside.connectPacket({ clientId: "me", username: "wrong", properties: { maximumPacketSize: 20 } }));
      const [connack] = await outside.lastWords();
      ensure(connack?.type === "connack" && connack.reasonCode === 0x87, "a refusal");
      equal(connack.properties?.reasonString, undefined, "Reason String");
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "me", properties }));
      await client.expect("connack", { reasonCode: 0 });
      equal(await client.publish("a", "x", { qos: 1 }), 0x87, "PUBACK");
      equal(await client.publish("a", "x", { qos: 2 }), 0x87, "PUBREC");
      equal((await client.subscribe("a")).reasonCodes, [0x87], "SUBACK");
      equal((await client.unsubscribe("a")).reasonCodes, [0x11], "UNSUBACK");
      world.own?.broker.disconnect(
        "me",
        0x98,
        "this reason is far too long for the client to be told of it ".repeat(2),
      );
      const [disconnect] = await client.lastWords();
      ensure(disconnect?.type === "disconnect" && disconnect.reasonCode === 0x98, "DISCONNECT");
      equal(disconnect.properties?.reasonString, undefined, "Reason String");
      ensure(
        client.history.every(({ bytes }) => bytes.length <= 60),
        "a packet over 60 bytes",
      );
    },
  },
  {
    title: "a client that takes no packet as large as its CONNACK is not let in, and takes nobody's place",
    v5: "3.1.2-24",
    ownOnly: true,
    async run(world) {
      const there = await world.connect(lasting(world, "me"));
      const connack = 16;
      for (const maximumPacketSize of [1, 4, 5, 8, connack - 1]) {
        const client = await world.open();
        client.send(client.connectPacket({ clientId: world.id("me"), properties: { maximumPacketSize } }));
        const words = await client.lastWords();
        equal(
          words.map((packet) => packet.type === "connack" && packet.reasonCode),
          maximumPacketSize < 5 ? [] : [0x95],
          `answers to a client that takes ${maximumPacketSize} bytes`,
        );
        ensure(
          client.history.every(({ bytes }) => bytes.length <= maximumPacketSize),
          "a packet that is larger than the client takes",
        );
      }
      await there.expectAlive();
      const last = await world.open();
      await last.connect({ clientId: world.id("last"), properties: { maximumPacketSize: connack } });
      await last.expectAlive();
    },
  },
  {
    title: "nor is one whose CONNACK is too large for what is in it, and its Will is not sent",
    v5: "3.1.2-24",
    ownOnly: true,
    async run(world) {
      const watcher = await world.connect();
      await watcher.subscribe("will");
      const client = await world.open();
      const will = { topic: "will", payload: new TextEncoder().encode("gone"), qos: 0, retain: false } as const;
      client.send(client.connectPacket({ clientId: "", will, properties: { maximumPacketSize: 30 } }));
      await refused(world, client, 0x95);
      await watcher.expectNothing();
      equal(world.own?.broker.metrics()["clientsConnected"], 1, "clients");
    },
  },
  {
    title: "a client that waits for an answer larger than it takes is disconnected",
    v5: "3.1.2-24 4.13.2-1",
    ownOnly: true,
    async run(world) {
      const names = Array.from({ length: 30 }, (_, index) => world.t(`${index}`));
      const properties = { maximumPacketSize: 30 };
      const client = await world.connect({ properties });
      client.send({
        type: "subscribe",
        packetId: 1,
        subscriptions: names.map((topicFilter) => ({
          topicFilter,
          qos: 0,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        })),
      });
      await ends(world, client, 0x95);
      const other = await world.connect({ properties });
      other.send({ type: "unsubscribe", packetId: 1, topicFilters: names });
      await ends(world, other, 0x95);
    },
  },
  {
    title: "so is one that waits for an AUTH",
    v5: "3.1.2-24",
    broker: {
      hooks: {
        authenticationMethods: {
          long: () => ({ next: () => ({ status: "continue", data: new Uint8Array(100) }) }),
        },
      },
    },
    async run(world) {
      const client = await world.open();
      const properties = { authenticationMethod: "long", maximumPacketSize: 50 };
      client.send(client.connectPacket({ clientId: "me", properties }));
      await client.expectClosed();
    },
  },
  {
    title:
      "the refusing CONNACK and DISCONNECT have a Reason String when there is room, also without problem information",
    v5: "3.1.2-29 3.14.2-2",
    broker: {
      hooks: {
        authenticate: ({ username }) => (username === "wrong" ? { reasonCode: 0x87, reasonString: "not you" } : true),
        authorize: () => ({ reasonCode: 0x87, reasonString: "not this" }),
      },
    },
    async run(world) {
      for (const requestProblemInformation of [0, 1] as const) {
        const outside = await world.open();
        const properties = { requestProblemInformation };
        outside.send(outside.connectPacket({ clientId: "me", username: "wrong", properties }));
        await outside.expect("connack", { reasonCode: 0x87, properties: { reasonString: "not you" } });
        const client = await world.connect({ clientId: "me", properties });
        await client.publish("a", "x", { qos: 1 });
        await client.publish("a", "x", { qos: 2 });
        await client.subscribe("a");
        await client.unsubscribe("a");
        world.own?.broker.disconnect("me", 0x98, "go away");
        const last = await client.expect("disconnect", { reasonCode: 0x98, properties: { reasonString: "go away" } });
        equal(last.properties?.sessionExpiryInterval, undefined, "Session Expiry Interval");
        if (requestProblemInformation === 1) continue;
        for (const { packet } of client.history) {
          if (packet.type === "connack" || packet.type === "disconnect" || !("properties" in packet)) continue;
          equal(Object.keys(packet.properties ?? {}), [], `properties of ${packet.type}`);
        }
      }
    },
  },
  {
    title: "a packet over the server's Maximum Packet Size ends the connection, one of that size is taken",
    v5: "3.2.2-15",
    broker: { limits: { maximumPacketSize: 100 } },
    async run(world) {
      const client = await world.open();
      equal((await client.connect({ clientId: "me" })).properties?.maximumPacketSize, 100, "Maximum Packet Size");
      const room = 100 - 2 - 2 - 1 - 2 - 1;
      client.send(client.publishPacket("a", "x".repeat(room), { qos: 1, packetId: 1 }));
      await client.expect("puback", { packetId: 1 });
      // It is refused by its length.
      client.send(client.encode(client.publishPacket("a", "x".repeat(room + 1), { qos: 1 })).subarray(0, 2));
      await ends(world, client, 0x95);
    },
  },
  {
    title: "the server gives aliases to topics within the client's maximum, and none unasked",
    v5: "3.1.2-26 3.1.2-27 3.3.2-11 3.3.2-8",
    async run(world) {
      const publisher = await world.connect();
      for (const maximum of [undefined, 0, 1, 2]) {
        const client = await world.connect({
          clientId: world.id("sub"),
          ...(maximum === undefined ? {} : { properties: { topicAliasMaximum: maximum } }),
        });
        await client.subscribe(world.t("#"), { qos: 1 });
        const known = new Map<number, string>();
        for (let round = 0; round < 3; round++) {
          for (const name of ["a", "b", "c", "d", "e"]) {
            await publisher.publish(world.t(name), name, { qos: 1 });
            const packet = await client.expect("publish");
            await client.acknowledge(packet);
            const alias = packet.properties?.topicAlias;
            if (alias !== undefined) ensure(alias >= 1 && alias <= (maximum ?? 0), `alias ${alias} of ${maximum}`);
            if (alias !== undefined && packet.topic !== "") known.set(alias, packet.topic);
            const topic = packet.topic !== "" ? packet.topic : known.get(alias ?? 0);
            equal(topic, world.t(name), "topic");
          }
        }
        if (world.own !== undefined) equal(known.size, maximum ?? 0, "aliases");
        await client.disconnect();
      }
    },
  },
  {
    title: "an alias that the server gave is not used for another connection",
    v5: "3.3.2-7",
    ownOnly: true,
    async run(world) {
      const options = { ...lasting(world, "me"), properties: { sessionExpiryInterval: 60, topicAliasMaximum: 5 } };
      const first = await world.connect(options);
      await first.subscribe("a", { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish("a", "1", { qos: 1 });
      await publisher.publish("a", "2", { qos: 1 });
      equal((await first.expect("publish", { topic: "a" })).properties?.topicAlias, 1, "alias");
      equal((await first.expect("publish", { topic: "" })).properties?.topicAlias, 1, "alias again");
      await first.cut();
      const second = await world.connect(options);
      await second.take("a", "1", { dup: true });
      await second.expect("publish", { topic: "", dup: true });
    },
  },
  {
    title: "the client's aliases from 1 to the server's maximum work, and may be set anew",
    v5: "3.3.2-12",
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({ clientId: world.id("pub") });
      const maximum = properties?.topicAliasMaximum ?? 0;
      if (maximum === 0) return;
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("#"), { qos: 1 });
      for (const topicAlias of new Set([1, maximum])) {
        for (const name of ["first", "second"]) {
          await client.publish(world.t(name), "named", { qos: 1, properties: { topicAlias } });
          await client.publish("", "by alias", { qos: 1, properties: { topicAlias } });
          await client.publish("", "by alias", { properties: { topicAlias } });
          const named = await subscriber.take(world.t(name), "named");
          equal(named.properties, undefined, "properties");
          await subscriber.take(world.t(name), "by alias", { qos: 1 });
          await subscriber.take(world.t(name), "by alias", { qos: 0 });
        }
      }
    },
  },
  {
    title: "an alias of 0, above the maximum, or never set ends the connection",
    v5: "3.2.2-17 3.3.2-8 3.3.2-9",
    broker: { limits: { topicAliasMaximum: 3 } },
    async run(world) {
      const alias = (value: string, topic: string): Uint8Array => frame(0x30, field(topic), section("23", value), "78");
      await eachEnds(world, [alias("00 00", "a"), alias("00 00", ""), alias("00 04", "a"), alias("ff ff", "a")], 0x94);
      await eachEnds(world, [alias("00 03", "")], 0x82);
    },
  },
  {
    title: "without a maximum every alias ends the connection",
    v5: "3.2.2-18",
    broker: { limits: { topicAliasMaximum: 0 } },
    async run(world) {
      const client = await world.open();
      equal((await client.connect({ clientId: "me" })).properties?.topicAliasMaximum, undefined, "Topic Alias Maximum");
      client.send(client.publishPacket("a", "x", { properties: { topicAlias: 1 } }));
      await ends(world, client, 0x94);
    },
  },
  {
    title: "aliases end with their connection",
    v5: "3.3.2-7",
    async run(world) {
      const first = await world.open();
      const { properties } = await first.connect(lasting(world, "me"));
      if ((properties?.topicAliasMaximum ?? 0) === 0) return;
      await first.publish(world.t("a"), "x", { qos: 1, properties: { topicAlias: 1 } });
      await first.cut();
      const second = await world.connect(lasting(world, "me"));
      second.send(second.publishPacket("", "x", { properties: { topicAlias: 1 } }));
      await ends(world, second, 0x82);
    },
  },
  {
    title: "a server without QoS 2 says so, grants subscriptions all the same, and disconnects who publishes above it",
    v5: "3.2.2-9 3.2.2-10 3.2.2-11",
    broker: { limits: { maximumQoS: 1 } },
    async run(world) {
      const client = await world.open();
      equal((await client.connect({ clientId: "me" })).properties?.maximumQoS, 1, "Maximum QoS");
      const { reasonCodes } = await client.subscribe(["a", "b"], { qos: 2 });
      ensure(
        reasonCodes.every((code) => code <= 2),
        "a subscription was refused",
      );
      client.send(client.publishPacket("a", "x", { qos: 2 }));
      await ends(world, client, 0x9b);
    },
  },
  {
    title: "a server with all QoS does not mention it",
    v5: "3.2.2-9",
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({ clientId: world.id("me") });
      if (world.own !== undefined) equal(properties?.maximumQoS, undefined, "Maximum QoS");
      else ensure(properties?.maximumQoS !== (2 as never), "Maximum QoS 2 is not to be sent");
    },
  },
  {
    title: "a server without retained messages says so and disconnects who publishes one",
    v5: "3.2.2-14",
    broker: { limits: { retainAvailable: false } },
    async run(world) {
      const client = await world.open();
      equal((await client.connect({ clientId: "me" })).properties?.retainAvailable, 0, "Retain Available");
      client.send(client.publishPacket("a", "x", { retain: true }));
      await ends(world, client, 0x9a);
    },
  },
  {
    title: "what the server does not offer is announced in CONNACK and refused in SUBACK",
    v5: "3.9.3-2",
    broker: {
      limits: {
        wildcardSubscriptionAvailable: false,
        sharedSubscriptionAvailable: false,
        subscriptionIdentifierAvailable: false,
        maxSubscriptions: 2,
      },
    },
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({ clientId: "me" });
      equal(properties?.wildcardSubscriptionAvailable, 0, "wildcards");
      equal(properties?.sharedSubscriptionAvailable, 0, "shared");
      equal(properties?.subscriptionIdentifierAvailable, 0, "identifiers");
      equal((await client.subscribe(["a/+", "#", "$share/g/a", "a"])).reasonCodes, [0xa2, 0xa2, 0x9e, 0], "codes");
      equal((await client.subscribe("b", { subscriptionIdentifier: 1 })).reasonCodes, [0xa1], "code");
      equal((await client.subscribe(["b", "c", "a"])).reasonCodes, [0, 0x97, 0], "codes over the limit");
    },
  },
  {
    title: "every limit that differs from the standard's default is in CONNACK",
    v5: "",
    ownOnly: true,
    async run(world) {
      const client = await world.open();
      const { properties } = await client.connect({ clientId: "me" });
      equal(
        properties,
        { receiveMaximum: 1_024, maximumPacketSize: 16 * 1024 * 1024, topicAliasMaximum: 64 },
        "properties of CONNACK",
      );
    },
  },
  {
    title: "a CONNACK that is too large loses its Reason String and User Properties, not its code",
    v5: "3.2.2-19",
    broker: { hooks: { authenticate: () => ({ reasonCode: 0x86, reasonString: "wrong ".repeat(20) }) } },
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "me", properties: { maximumPacketSize: 50 } }));
      await refused(world, client, 0x86);
      ensure(
        client.history.every(({ bytes }) => bytes.length <= 50),
        "a CONNACK over 50 bytes",
      );
    },
  },
];
