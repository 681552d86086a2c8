// The Will: when it is published, when not, and with which properties.
import type { Will } from "@wrenmq/codec";
import type { ConnectOptions, RawClient } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { ends, equal, field, frame, noProperties, rawConnect, refused } from "../wire.ts";
import type { World } from "../world.ts";
import { fresh, lasting } from "./session.ts";

function will(world: World, more: Partial<Will> = {}): Will {
  return { topic: world.t("will"), payload: new TextEncoder().encode("gone"), qos: 0, retain: false, ...more };
}

async function watch(world: World): Promise<RawClient> {
  const watcher = await world.connect();
  await watcher.subscribe(world.t("will"), { qos: 2 });
  return watcher;
}

function withDelay(world: World, willDelayInterval: number, seconds: number): ConnectOptions {
  return { ...lasting(world, "me", seconds), will: will(world, { properties: { willDelayInterval } }) };
}

export const wills: readonly Check[] = [
  {
    title: "the will comes when the network is cut, once, with its QoS",
    v4: "3.1.2-8 3.1.2-9 3.1.2-10 3.1.2-14",
    v5: "3.1.2-7 3.1.2-8 3.1.2-9 3.1.2-10 3.1.2-12",
    async run(world) {
      const watcher = await watch(world);
      for (const qos of [0, 1, 2] as const) {
        const client = await world.connect({ ...lasting(world, "me", 5), will: will(world, { qos }) });
        await watcher.expectNothing();
        await client.cut();
        await watcher.take(world.t("will"), "gone", { qos, retain: false });
        await watcher.expectNothing();
      }
      // Neither a later connection nor the end of the session publishes it again.
      const again = await world.connect(lasting(world, "me", 1));
      await again.cut();
      await world.advance(1_500);
      await watcher.expectNothing();
    },
  },
  {
    title: "no will comes after DISCONNECT",
    v4: "3.1.2-8 3.1.2-10 3.14.4-3",
    v5: "3.1.2-8 3.1.2-10 3.14.4-3",
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect({ ...lasting(world, "me", 1), will: will(world) });
      await client.disconnect();
      await watcher.expectNothing();
      await world.advance(1_500);
      await watcher.expectNothing();
    },
  },
  {
    title: "the will comes after DISCONNECT with any reason code but 0x00",
    v5: "3.1.2-8 3.1.2-10 3.14.4-3",
    async run(world) {
      const watcher = await watch(world);
      // All codes that a client may send.
      const codes = [0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99] as const;
      for (const code of codes) {
        const client = await world.connect({ ...fresh(world, "me"), will: will(world) });
        await client.disconnect(code);
        await watcher.take(world.t("will"), "gone");
      }
      await watcher.expectNothing();
    },
  },
  {
    title: "no will comes from a client that has none",
    v4: "3.1.2-12",
    v5: "",
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect();
      await client.cut();
      await watcher.expectNothing();
    },
  },
  {
    title: "the will comes after a protocol error, a takeover and silence",
    v4: "3.1.2-8 3.1.2-24",
    v5: "3.1.2-8 3.1.2-22",
    async run(world) {
      const watcher = await watch(world);
      const wrong = await world.connect({ ...fresh(world, "me"), will: will(world) });
      wrong.send(frame(0x36, field(world.t("a")), "00 01", noProperties(world)));
      await ends(world, wrong, 0x81);
      await watcher.take(world.t("will"), "gone");
      await world.connect({ ...fresh(world, "me"), will: will(world) });
      const taker = await world.connect(fresh(world, "me"));
      await watcher.take(world.t("will"), "gone");
      await taker.disconnect();
      await world.connect({ ...fresh(world, "me"), will: will(world), keepAlive: 1 });
      await world.advance(2_000);
      await watcher.take(world.t("will"), "gone");
    },
  },
  {
    title: "Will Retain decides whether the will is retained",
    v4: "3.1.2-16 3.1.2-17",
    v5: "3.1.2-14 3.1.2-15",
    async run(world) {
      for (const retain of [false, true]) {
        const client = await world.connect({ ...fresh(world, "me"), will: will(world, { retain, qos: 1 }) });
        await client.cut();
        const late = await watch(world);
        if (retain) await late.take(world.t("will"), "gone", { retain: true, qos: 1 });
        else await late.expectNothing();
      }
      await (await world.connect()).publish(world.t("will"), "", { retain: true });
    },
  },
  {
    title: "a Will Topic with wildcards or without characters is refused",
    v4: "4.7.1-1",
    v5: "4.7.0-1",
    async run(world) {
      for (const topic of ["a/+", "a/#", ""]) {
        const client = await world.open();
        client.send(
          rawConnect(world, {
            flags: 0x06,
            payload: [field(world.id("x")), noProperties(world), field(topic), field("gone")],
          }),
        );
        await refused(world, client, 0x90);
      }
    },
  },
  {
    title: "the will waits for its delay, to the tenth of a second",
    v5: "3.1.2-8",
    ownOnly: true,
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect(withDelay(world, 5, 60));
      await client.cut();
      await world.advance(4_900);
      await watcher.expectNothing();
      await world.advance(100);
      await watcher.take(world.t("will"), "gone");
      await world.advance(60_000);
      await watcher.expectNothing();
    },
  },
  {
    title: "the will does not wait longer than the session lasts",
    v5: "3.1.2-8",
    ownOnly: true,
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect(withDelay(world, 50, 3));
      await client.cut();
      await world.advance(2_900);
      await watcher.expectNothing();
      await world.advance(100);
      await watcher.take(world.t("will"), "gone");
      await world.advance(50_000);
      await watcher.expectNothing();
    },
  },
  {
    title: "a delayed will comes after one second and not at once",
    v5: "3.1.2-8",
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect(withDelay(world, 1, 60));
      await client.cut();
      await watcher.expectNothing();
      await world.advance(1_500);
      await watcher.take(world.t("will"), "gone");
    },
  },
  {
    title: "no will comes from a client that is back before the delay is over",
    v5: "3.1.3-9 3.1.2-8",
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect(withDelay(world, 2, 60));
      await client.cut();
      await world.advance(1_000);
      const back = await world.connect(lasting(world, "me"));
      await world.advance(3_000);
      await watcher.expectNothing();
      await back.disconnect();
    },
  },
  {
    title: "a takeover keeps a delayed will back when the session goes on, and lets it go when it does not",
    v5: "3.1.3-9 3.1.2-8",
    async run(world) {
      const watcher = await watch(world);
      await world.connect(withDelay(world, 2, 60));
      const taker = await world.connect(lasting(world, "me"));
      await world.advance(3_000);
      await watcher.expectNothing();
      await taker.disconnect();
      // The session of this one ends with its connection: no message is queued for it.
      await world.connect({ ...fresh(world, "me"), will: will(world, { properties: { willDelayInterval: 60 } }) });
      await world.connect({ clientId: world.id("me"), cleanStart: false });
      await watcher.take(world.t("will"), "gone");
      await world.connect(withDelay(world, 60, 60));
      await world.connect(fresh(world, "me"));
      await watcher.take(world.t("will"), "gone");
    },
  },
  {
    title: "the will has its properties, user properties in their order, and not its delay",
    v5: "3.1.3-10",
    async run(world) {
      const watcher = await watch(world);
      const userProperties = [
        ["b", "1"],
        ["a", "2"],
        ["b", ""],
        ["", "3"],
      ] as const;
      const client = await world.connect({
        ...lasting(world, "me", 60),
        will: will(world, {
          properties: {
            willDelayInterval: 1,
            payloadFormatIndicator: 1,
            messageExpiryInterval: 100,
            contentType: "text/plain",
            responseTopic: world.t("answers"),
            correlationData: Uint8Array.of(0, 255),
            userProperties,
          },
        }),
      });
      await client.cut();
      await world.advance(1_100);
      const { properties } = await watcher.take(world.t("will"), "gone");
      equal(
        properties,
        {
          payloadFormatIndicator: 1,
          messageExpiryInterval: properties?.messageExpiryInterval ?? 0,
          contentType: "text/plain",
          responseTopic: world.t("answers"),
          correlationData: Uint8Array.of(0, 255),
          userProperties,
        },
        "properties",
      );
      // Its expiry interval begins when it is published.
      equal((properties?.messageExpiryInterval ?? 0) >= 99, true, "Message Expiry Interval of about 100");
    },
  },
  {
    title: "a will beyond what the server can do is refused",
    v5: "3.2.2-12 3.2.2-13",
    broker: { limits: { maximumQoS: 0, retainAvailable: false } },
    async run(world) {
      const client = await world.open();
      client.send(client.connectPacket({ clientId: "a", will: will(world, { qos: 1 }) }));
      await refused(world, client, 0x9b);
      const other = await world.open();
      other.send(other.connectPacket({ clientId: "a", will: will(world, { retain: true }) }));
      await refused(world, other, 0x9a);
    },
  },
  {
    title: "a will that its client may not publish goes nowhere",
    v4: "",
    v5: "",
    broker: { hooks: { authorize: (_client, action) => action !== "publish" } },
    async run(world) {
      const watcher = await watch(world);
      const client = await world.connect({ ...fresh(world, "me"), will: will(world) });
      await client.cut();
      await watcher.expectNothing();
      equal(world.own?.broker.metrics()["droppedNotAuthorized"], 1, "dropped");
    },
  },
];
