import { test } from "vitest";
import { Random } from "../src/random.ts";
import { run } from "../src/run.ts";
import { SimulatedCluster } from "../src/simulation/simulated-cluster.ts";

test("debug", { timeout: 200_000 }, async () => {
  const seed = Number(process.env["SEED"]);
  const count = Number(process.env["CRASH_WORKERS"] ?? 2);
  const faults = process.env["LATE"] ? { refused: 0, latency: 20 } : undefined;
  const random = new Random(seed);
  if (process.env["COUNTED"]) random.between(2, 3);
  const broker = new SimulatedCluster({ count, random: random.fork(), faults });
  (globalThis as any).simulated = broker;
  const { problems, story } = await broker.drive(
    run({ broker, kills: Number(process.env["CRASH_KILLS"] ?? 6), seed, qos: "both", workers: count, pause: [5, 150] }),
  );
  console.log(story.slice(-400).join("\n"));
  console.log(problems);
});
