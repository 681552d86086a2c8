import { expect, test } from "vitest";
import { BrokerInProcess } from "../src/brokers/broker-in-process.ts";
import { Random } from "../src/random.ts";
import { run } from "../src/run.ts";

const KILLS = Number(process.env["CRASH_KILLS"] ?? 6);
const SEED = Number(process.env["CRASH_SEED"] ?? 20);

test("a power failure takes nothing that was acknowledged when commits are slow", { timeout: 120_000 }, async () => {
  const broker = new BrokerInProcess(new Random(SEED), { refused: 0, latency: 30 });
  const { problems, acknowledged } = await run({ broker, kills: KILLS, seed: SEED, qos: "both" });
  expect(problems).toEqual([]);
  expect(acknowledged).toBeGreaterThan(100);
});

test("a store that refuses batches now and then loses nothing, and the broker recovers", {
  timeout: 120_000,
}, async () => {
  const broker = new BrokerInProcess(new Random(SEED), { refused: 0.01, latency: 10 });
  const { problems, acknowledged } = await run({ broker, kills: KILLS, seed: SEED + 1, qos: "both" });
  expect(problems).toEqual([]);
  expect(acknowledged).toBeGreaterThan(100);
  expect(broker.refusals).toBeGreaterThan(0);
});
