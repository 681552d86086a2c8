// Does a subscriber that reads nothing slow down the others? Latency of 1,000 subscribers of one topic, without and with
// a frozen one among them. QoS 0 to it is dropped; QoS 1 is queued, and at the bound the publisher waits (the default
// policy): with QoS 1 the bound must not be reached within the measured time, so the load is light.
//   node tools/bench/slow-consumer.mjs [--subscribers 1000] [--duration 5] [--reps 3]
import { parseArgs } from "node:util";
import { load, RunningBroker } from "./src/brokers.mjs";
import { median, number } from "./src/report.mjs";

const { values } = parseArgs({
  options: {
    subscribers: { type: "string", default: "1000" },
    duration: { type: "string", default: "5" },
    reps: { type: "string", default: "3" },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);

async function measure(qos, frozen) {
  const broker = await RunningBroker.start("wrenmq");
  try {
    const subscribers = Number(values.subscribers);
    const times = { warmup: 1, duration: Number(values.duration) };
    const options = { kind: "fanOut", version: 4, qos, size: 64, subscribers, window: 1, frozen, ...times };
    const figures = await load({ ...options, port: broker.port, pid: broker.pid });
    if (figures.failed !== undefined) throw new Error(figures.failed);
    return figures;
  } finally {
    await broker.stop();
  }
}

const runs = [];
for (let repetition = 0; repetition < Number(values.reps); repetition++) {
  for (const qos of [0, 1]) {
    for (const frozen of [0, 1]) runs.push({ qos, frozen, ...(await measure(qos, frozen)) });
  }
}
say("| QoS | frozen subscribers | messages/s | p50, ms | p99, ms | longest, ms | broker µs per message | lost |");
say("|---|---|---|---|---|---|---|---|");
for (const qos of [0, 1]) {
  for (const frozen of [0, 1]) {
    const some = runs.filter((run) => run.qos === qos && run.frozen === frozen);
    const cell = (key) => number(median(some.map((run) => run[key])));
    const lost = Math.max(...some.map((run) => run.lost));
    say(
      `| ${qos} | ${frozen} | ${cell("rate")} | ${cell("p50")} | ${cell("p99")} | ${cell("max")} | ${cell("cpuPerMessage")} | ${lost} |`,
    );
  }
}
