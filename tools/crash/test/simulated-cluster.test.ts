// Thousands of ways to die, each repeated by its seed: `CRASH_SEEDS=5000 npx vitest run --project crash simulated`.
import { expect, test } from "vitest";
import { Random } from "../src/random.ts";
import { run } from "../src/run.ts";
import { SimulatedCluster } from "../src/simulation/simulated-cluster.ts";

const SEEDS = Number(process.env["CRASH_SEEDS"] ?? 8);
const FIRST = Number(process.env["CRASH_SEED"] ?? 1);
const COUNT = Number(process.env["CRASH_WORKERS"] ?? 1);
const KILLS = Number(process.env["CRASH_KILLS"] ?? 6);

test.each([
  { disk: "at once", faults: undefined },
  { disk: "late", faults: { refused: 0, latency: 20 } },
])(
  "brokers that act as one lose nothing and deliver nothing twice; the disk has it $disk",
  {
    timeout: 20_000 + SEEDS * 5_000,
  },
  async ({ faults }) => {
    const failed: { readonly seed: number; readonly problems: readonly string[] }[] = [];
    for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
      const random = new Random(seed);
      const count = COUNT || random.between(2, 3);
      const broker = new SimulatedCluster({ count, random: random.fork(), faults });
      const { problems, acknowledged } = await broker.drive(
        run({ broker, kills: KILLS, seed, qos: "both", workers: count, pause: [5, 150] }),
      );
      if (problems.length > 0) failed.push({ seed, problems });
      expect(acknowledged).toBeGreaterThan(0);
    }
    expect(failed).toEqual([]);
  },
);
