import { test } from "vitest";
import { homeOf } from "@wrenmq/cluster";
import { Random } from "../src/random.ts";
import { run } from "../src/run.ts";
import { SimulatedCluster } from "../src/simulation/simulated-cluster.ts";

test("debug", { timeout: 400_000 }, async () => {
  const seed = Number(process.env["SEED"]);
  const faults = process.env["LATE"] ? { refused: 0, latency: 20 } : undefined;
  const random = new Random(seed);
  const count = Number(process.env["CRASH_WORKERS"] ?? 0) || random.between(2, 3);
  const broker = new SimulatedCluster({ count, random: random.fork(), faults });
  (globalThis as any).cores = [];
  const { problems, story } = await broker.drive(run({ broker, kills: Number(process.env["CRASH_KILLS"] ?? 6), seed, qos: "both", workers: count, pause: [5, 150] }));
  if (process.env["STORY"]) console.log(story.slice(-400).join("\n"));
  console.log(count, problems);
  const topic = process.env["TOPIC"];
  if (topic) {
    console.log("keeper", homeOf(topic, count));
    for (const c of (globalThis as any).cores) console.log(c.cluster.bus.self, c.log?.filter((l: string) => l.includes(topic)).slice(-30));
  }
});
