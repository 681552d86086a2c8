import { expect, test } from "vitest";
import { LoadAverages } from "../../src/reporting/load-averages.ts";
import type { MetricName } from "../../src/reporting/metrics.ts";
import { startBroker } from "../support.ts";

test("a constant rate is what the averages come to: the shortest first", () => {
  const loads = new LoadAverages();
  let total = 0;
  const get = (name: MetricName): number => (name === "publishReceived" ? total : 0);
  loads.update(get, 0);
  for (let round = 0; round < 6; round++) {
    total += 100;
    loads.update(get, 10);
  }
  const values = new Map(loads.values());
  expect(values.size).toBe(27);
  // 600 messages a minute for a minute: 1 - 1/e of it after one time constant.
  expect(Number(values.get("load/publish/received/1min"))).toBeCloseTo(600 * (1 - Math.exp(-1)), 1);
  expect(Number(values.get("load/publish/received/5min"))).toBeCloseTo(600 * (1 - Math.exp(-1 / 5)), 1);
  expect(Number(values.get("load/publish/received/15min"))).toBeCloseTo(600 * (1 - Math.exp(-1 / 15)), 1);
  expect(values.get("load/bytes/sent/1min")).toBe("0.00");
});

test("Mosquitto's names: payload bytes, sessions that expired, the largest heap, loads", async () => {
  const fixture = await startBroker({ sys: { intervalSeconds: 10, names: "mosquitto" } });
  const read = (topic: string): string => {
    const [message] = fixture.broker.retained(`$SYS/broker/${topic}`);
    return new TextDecoder().decode(message?.payload);
  };
  const client = await fixture.connect(5, { clientId: "c", properties: { sessionExpiryInterval: 5 } });
  await client.subscribe("t", { qos: 1 });
  const publisher = await fixture.connect(5, { clientId: "p" });
  await publisher.publish("t", "12345", { qos: 1 });
  await client.take("t", "12345");
  await client.disconnect();
  await fixture.clock.advance(10_000);
  expect([read("publish/bytes/received"), read("publish/bytes/sent"), read("clients/expired")]).toEqual([
    "5",
    "5",
    "1",
  ]);
  expect(Number(read("heap/maximum"))).toBeGreaterThan(0);
  expect(Number(read("load/connections/1min"))).toBeCloseTo(12 * (1 - Math.exp(-1 / 6)), 1);
  await fixture.stop();
});
