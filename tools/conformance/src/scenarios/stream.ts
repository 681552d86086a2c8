// The stream as a whole: flags of every packet, order and loss over a transport, bytes that are split anywhere.
import type { RawClient } from "@wrenmq/testkit";
import type { Check } from "../check.ts";
import { ensure, equal } from "../wire.ts";
import type { World } from "../world.ts";

/** Makes the server send every type of packet. */
async function everything(world: World): Promise<RawClient[]> {
  const client = await world.connect();
  await client.subscribe(world.t("s"), { qos: 2 });
  const publisher = await world.connect();
  for (const qos of [0, 1, 2] as const) {
    await publisher.publish(world.t("s"), "x", { qos, retain: true, dup: qos > 0 });
    await client.take(world.t("s"), "x", { qos });
  }
  await client.unsubscribe(world.t("s"));
  await client.expectAlive();
  await publisher.publish(world.t("s"), "", { retain: true });
  return [client, publisher];
}

/** Flags by packet type, except PUBLISH. */
const FLAGS: Readonly<Record<number, number>> = { 2: 0, 4: 0, 5: 0, 6: 2, 7: 0, 9: 0, 11: 0, 13: 0, 14: 0, 15: 0 };

export const stream: readonly Check[] = [
  {
    title: "every packet of the server has the flags of its type",
    v4: "2.2.2-1",
    v5: "2.1.3-1",
    async run(world) {
      const clients = await everything(world);
      const types = new Set<number>();
      for (const { bytes } of clients.flatMap(({ history }) => history)) {
        const [first = 0] = bytes;
        types.add(first >> 4);
        if (first >> 4 === 3) ensure((first & 6) !== 6 && (first & 8) === 0, "flags of PUBLISH");
        else equal(first & 15, FLAGS[first >> 4], `flags of type ${first >> 4}`);
      }
      equal(
        [...types].sort((a, b) => a - b),
        [2, 3, 4, 5, 6, 7, 9, 11, 13],
        "types of packets",
      );
    },
  },
  {
    title: "bytes arrive in order and without loss",
    v4: "7.1.1-1 7.0.0-2",
    v5: "4.2-1",
    async run(world) {
      const subscriber = await world.connect();
      await subscriber.subscribe(world.t("s"), { qos: 1 });
      const publisher = await world.connect();
      const size = (index: number): number => (index * 7919) % 5_000;
      for (let batch = 0; batch < 10; batch++) {
        const packets = Array.from({ length: 20 }, (_, index) =>
          publisher.publishPacket(world.t("s"), new Uint8Array(size(batch * 20 + index)).fill(index), { qos: 1 }),
        );
        publisher.send(...packets);
        for (let index = 0; index < 20; index++) {
          const packet = await subscriber.expect("publish");
          equal(packet.payload.length, size(batch * 20 + index), "length");
          ensure(
            packet.payload.every((byte) => byte === index),
            "payload",
          );
          await subscriber.acknowledge(packet);
        }
        for (const { packetId = 0 } of packets) await publisher.expect("puback", { packetId });
      }
    },
  },
  {
    title: "packets may come byte by byte, or all at once",
    v4: "",
    v5: "",
    async run(world) {
      const packets = (client: RawClient): Uint8Array[] =>
        [
          client.connectPacket({ clientId: world.id("me") }),
          {
            type: "subscribe" as const,
            packetId: 1,
            subscriptions: [
              {
                topicFilter: world.t("s"),
                qos: 0 as const,
                noLocal: false,
                retainAsPublished: false,
                retainHandling: 0 as const,
              },
            ],
          },
          client.publishPacket(world.t("s"), "x".repeat(300)),
          { type: "pingreq" as const },
        ].map((packet) => client.encode(packet));
      for (const size of [1, 2, 7, Number.POSITIVE_INFINITY]) {
        const client = await world.open();
        const whole = packets(client).flatMap((packet) => [...packet]);
        for (let start = 0; start < whole.length; start += size) {
          client.send(Uint8Array.from(whole.slice(start, start + size)));
          if (world.own !== undefined && size < 10) await world.advance(0);
        }
        for (const type of ["connack", "suback", "publish", "pingresp"] as const) await client.expect(type);
        await client.disconnect();
      }
    },
  },
];
