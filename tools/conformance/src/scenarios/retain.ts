// Retained messages: what is stored, what deletes it, and with which flags it arrives.
import type { Check } from "../check.ts";
import { equal } from "../wire.ts";

export const retain: readonly Check[] = [
  {
    title: "a retained message is kept with its QoS, and comes to a new subscription with RETAIN 1",
    v4: "3.3.1-5 3.3.1-6 3.3.1-8",
    v5: "3.3.1-5",
    async run(world) {
      const publisher = await world.connect();
      for (const qos of [0, 1, 2] as const) {
        await publisher.publish(world.t(`r/${qos}`), "old", { qos, retain: true });
        await publisher.publish(world.t(`r/${qos}`), `new${qos}`, { qos, retain: true });
      }
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("r/+"), { qos: 2 });
      const seen: string[] = [];
      for (let index = 0; index < 3; index++) {
        const packet = await subscriber.expect("publish", { retain: true, dup: false });
        seen.push(`${packet.topic.slice(-1)} ${packet.qos} ${new TextDecoder().decode(packet.payload)}`);
        await subscriber.acknowledge(packet);
      }
      equal(seen.sort(), ["0 0 new0", "1 1 new1", "2 2 new2"], "messages");
      await subscriber.expectNothing();
      const lower = await world.connect();
      await lower.subscribe(world.t("r/2"), { qos: 1 });
      await lower.take(world.t("r/2"), "new2", { retain: true, qos: 1 });
      for (const qos of [0, 1, 2]) await publisher.publish(world.t(`r/${qos}`), "", { retain: true });
    },
  },
  {
    title: "live messages have RETAIN 0, whatever the publisher set",
    v4: "3.3.1-9",
    v5: "3.3.1-12",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("r"), { qos: 1 });
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true, qos: 1 });
      await subscriber.take(world.t("r"), "kept", { retain: false });
      await publisher.publish(world.t("r"), "", { retain: true });
      await subscriber.take(world.t("r"), "", { retain: false });
    },
  },
  {
    title: "an empty payload deletes what is kept, and is not kept itself",
    v4: "3.3.1-10 3.3.1-11",
    v5: "3.3.1-6 3.3.1-7",
    async run(world) {
      const publisher = await world.connect();
      const current = await world.connect();
      await current.subscribe(world.t("+"));
      await publisher.publish(world.t("r"), "kept", { retain: true });
      await current.take(world.t("r"), "kept");
      await publisher.publish(world.t("r"), "", { retain: true });
      await current.take(world.t("r"), "");
      await publisher.publish(world.t("fresh"), "", { retain: true, qos: 1 });
      await current.take(world.t("fresh"), "");
      const late = await world.connect();
      await late.subscribe(world.t("+"), { qos: 1 });
      await late.expectNothing();
    },
  },
  {
    title: "a message without RETAIN leaves what is kept as it is",
    v4: "3.3.1-12",
    v5: "3.3.1-8",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true });
      await publisher.publish(world.t("r"), "not kept");
      await publisher.publish(world.t("other"), "not kept", { qos: 1 });
      const late = await world.connect();
      await late.subscribe(world.t("+"));
      await late.take(world.t("r"), "kept", { retain: true });
      await late.expectNothing();
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "a retained message of QoS 0 takes the place of one of QoS 1",
    v4: "3.3.1-7",
    v5: "3.3.1-5",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "first", { retain: true, qos: 1 });
      await publisher.publish(world.t("r"), "second", { retain: true, qos: 0 });
      const late = await world.connect();
      await late.subscribe(world.t("r"), { qos: 2 });
      const seen = await late.messages();
      equal(seen.includes("first"), false, "the first came");
      if (world.own !== undefined) equal(seen, ["second"], "messages");
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "subscribing again brings retained messages again, once each",
    v4: "3.8.4-3",
    v5: "3.3.1-9 3.8.4-4",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true, qos: 1 });
      const subscriber = await world.connect();
      for (const qos of [0, 1, 1] as const) {
        await subscriber.subscribe(world.t("r"), { qos });
        await subscriber.take(world.t("r"), "kept", { retain: true, qos });
        await subscriber.expectNothing();
      }
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "Retain Handling decides when retained messages come",
    v5: "3.3.1-9 3.3.1-10 3.3.1-11",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true, qos: 1 });
      const expected = { 0: [true, true], 1: [true, false], 2: [false, false] } as const;
      for (const retainHandling of [0, 1, 2] as const) {
        const subscriber = await world.connect({ clientId: world.id("sub") });
        for (const comes of expected[retainHandling]) {
          await subscriber.subscribe(world.t("r"), { retainHandling });
          equal(await subscriber.messages(), comes ? ["kept"] : [], `messages with ${retainHandling}`);
        }
        await publisher.publish(world.t("r"), "live");
        await subscriber.take(world.t("r"), "live");
        if (retainHandling === 1) {
          // Unsubscribed and subscribed again, the subscription is new.
          await subscriber.unsubscribe(world.t("r"));
          await subscriber.subscribe(world.t("r"), { retainHandling });
          await subscriber.take(world.t("r"), "kept");
        }
        await subscriber.disconnect();
      }
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "a subscription of a resumed session is not new",
    v5: "3.3.1-10",
    async run(world) {
      const publisher = await world.connect();
      await publisher.publish(world.t("r"), "kept", { retain: true });
      const options = { clientId: world.id("me"), cleanStart: false, properties: { sessionExpiryInterval: 60 } };
      const first = await world.connect(options);
      await first.subscribe(world.t("r"), { retainHandling: 1 });
      await first.take(world.t("r"), "kept");
      await first.disconnect();
      const second = await world.connect(options);
      await second.expectNothing();
      await second.subscribe(world.t("r"), { retainHandling: 1 });
      await second.expectNothing();
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "Retain As Published keeps the flag of the publisher",
    v5: "3.3.1-12 3.3.1-13",
    async run(world) {
      const publisher = await world.connect();
      for (const retainAsPublished of [false, true]) {
        const subscriber = await world.connect({ clientId: world.id("sub") });
        await subscriber.subscribe(world.t("r"), { retainAsPublished, retainHandling: 2 });
        for (const flag of [true, false]) {
          await publisher.publish(world.t("r"), "x", { retain: flag });
          await subscriber.take(world.t("r"), "x", { retain: flag && retainAsPublished });
        }
        await subscriber.disconnect();
      }
      await publisher.publish(world.t("r"), "", { retain: true });
    },
  },
  {
    title: "a retained message that the session is to have is sent beyond its queue's bound",
    v4: "3.3.1-6",
    v5: "3.3.1-9",
    broker: { limits: { maxQueuedMessages: 5, maxInflight: 2 } },
    async run(world) {
      const publisher = await world.connect();
      for (let index = 0; index < 40; index++)
        await publisher.publish(`r/${index}`, `${index}`, { retain: true, qos: 1 });
      const subscriber = await world.connect();
      await subscriber.subscribe("r/+", { qos: 1 });
      const seen = new Set<string>();
      for (let index = 0; index < 40; index++) {
        const packet = await subscriber.expect("publish", { retain: true });
        seen.add(packet.topic);
        await subscriber.acknowledge(packet);
      }
      equal(seen.size, 40, "messages");
      equal(world.own?.broker.metrics()["droppedQueueFull"], 0, "dropped");
    },
  },
];
