// A store without room: what it says, what it keeps, and how it gets out of it.
import { text } from "@wrenmq/testkit";
import { expect, test } from "vitest";
import { Lives, lasting } from "./lives.ts";

test("a full store refuses with 0x97, keeps what it acknowledged, and takes messages again when there is room", async () => {
  const lives = new Lives(400_000);
  await lives.start();
  const { client: subscriber } = await lives.client("s", lasting);
  await subscriber.subscribe("a", { qos: 1 });
  await subscriber.disconnect();
  const { client: publisher } = await lives.client("p");
  const pad = "x".repeat(5_000);
  const taken: string[] = [];
  let refused = 0;
  for (let i = 0; i < 200 && refused < 3; i++) {
    const code = await publisher.publish("a", `${i} ${pad}`, { qos: 1 });
    if (code === 0) taken.push(`${i} ${pad}`);
    else refused += code === 0x97 ? 1 : 100;
  }
  expect(refused).toBe(3);
  expect(taken.length).toBeGreaterThan(10);
  // A client that comes back to a full store waits until the store is asked again.
  const client = lives.open(5);
  client.send(client.connectPacket({ clientId: "s", ...lasting }));
  await lives.clock.advance(1_000);
  await client.expect("connack", { reasonCode: 0, sessionPresent: true });
  const came: string[] = [];
  for (let left = 200; left > 0; left--) {
    await lives.clock.advance(1_000);
    const packets = await client.rest();
    for (const packet of packets) {
      if (packet.type !== "publish") continue;
      came.push(text(packet.payload));
      client.send({ type: "puback", packetId: packet.packetId as number, reasonCode: 0 });
    }
    if (packets.length === 0 && left < 190) break;
  }
  expect(came.filter((payload) => taken.includes(payload))).toEqual(taken);
  await lives.clock.advance(2_000);
  expect(await publisher.publish("a", "after", { qos: 1 })).toBe(0);
});
