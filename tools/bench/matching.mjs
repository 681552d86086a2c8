// What a message costs the broker as subscriptions grow from 10^3 to 10^6: 100 wildcard pairs among others that share
// their roots and match nothing.
//   node tools/bench/matching.mjs [--sizes 1000,10000,100000,1000000] [--reps 3] [--duration 2]
import { parseArgs } from "node:util";
import { load, RunningBroker } from "./src/brokers.mjs";
import { sample } from "./src/processes.mjs";
import { median, number } from "./src/report.mjs";
import { scenarios } from "./src/scenarios.mjs";

const { values } = parseArgs({
  options: {
    sizes: { type: "string", default: "1000,10000,100000,1000000" },
    reps: { type: "string", default: "3" },
    duration: { type: "string", default: "2" },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);
const sizes = values.sizes.split(",").map(Number);
const runs = [];
for (let repetition = 0; repetition < Number(values.reps); repetition++) {
  for (const size of sizes) {
    const broker = await RunningBroker.start("wrenmq");
    try {
      const empty = sample(broker.pid)?.rss;
      const times = { warmup: 1, duration: Number(values.duration) };
      const options = {
        ...scenarios.wildcard.load,
        background: size,
        backgroundClients: Math.max(100, size / 5_000),
        ...times,
      };
      const figures = await load({ ...options, port: broker.port, pid: broker.pid });
      if (figures.failed !== undefined) throw new Error(figures.failed);
      runs.push({ size, ...figures, perSubscription: (figures.peak - empty) / size });
    } finally {
      await broker.stop();
    }
  }
}
say(
  "| other subscriptions | broker µs per message | times that of the fewest | peak resident bytes per subscription |",
);
say("|---|---|---|---|");
const cost = (size) => median(runs.filter((run) => run.size === size).map((run) => run.cpuPerMessage));
for (const size of sizes) {
  const bytes = median(runs.filter((run) => run.size === size).map((run) => run.perSubscription));
  say(
    `| ${size} | ${number(cost(size))} | ${number(cost(size) / cost(sizes[0]))} | ${size < 100_000 ? "–" : number(bytes, 0)} |`,
  );
}
