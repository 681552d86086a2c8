import { expect, test } from "vitest";
import { startBroker } from "../src/index.ts";

test("clients of both versions exchange messages through a broker in memory", async () => {
  const fixture = await startBroker();
  const subscriber = await fixture.connect(5, { clientId: "sub" });
  await subscriber.subscribe("a/+", { qos: 2 });
  const publisher = await fixture.connect(4, { clientId: "pub" });
  for (const qos of [0, 1, 2] as const) await publisher.publish("a/b", `m${qos}`, { qos });
  for (const qos of [0, 1, 2] as const) await subscriber.take("a/b", `m${qos}`, { qos });
  await subscriber.expectNothing();
  await fixture.stop();
  expect((await subscriber.lastWords()).map(({ type }) => type)).toEqual(["disconnect"]);
  expect(publisher.closed).toBe(true);
});

test("what was expected and did not come is an error at once, not after a while", async () => {
  const fixture = await startBroker();
  const client = await fixture.connect(4);
  await expect(client.expect("publish")).rejects.toThrow("no packet came");
  await expect(client.expectClosed()).rejects.toThrow("still open");
  await fixture.stop();
});
