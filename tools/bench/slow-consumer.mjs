// Does a subscriber that reads nothing slow down the others? 1,000 subscribers of one topic, without and with a frozen one
// among them. QoS 0 to it is dropped. At QoS 1 its queue is small, so that it is full after 200 messages: it may hold the
// publisher for `backpressure_timeout` (2 s), then what is new for it is dropped. The longest time to an acknowledgement
// counts from the first message; latencies of the others are measured after the deadline has passed.
//   node tools/bench/slow-consumer.mjs [--subscribers 1000] [--duration 5] [--reps 3]        (build first: pnpm build)
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
/** Seconds before the measured time, longer than `backpressure_timeout`; `stall` is longer than both, in milliseconds. */
const WARMUP = 4;
const STALL = 6_000;
const say = (line) => process.stdout.write(`${line}\n`);

async function measure(qos, frozen) {
  const broker = await RunningBroker.start("wrenmq small queues");
  try {
    const subscribers = Number(values.subscribers);
    const times = { warmup: WARMUP, stall: STALL, duration: Number(values.duration) };
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
say(
  "| QoS | frozen subscribers | messages/s | p50, ms | p99, ms | longest to an acknowledgement, ms | broker µs per message | lost to the others | not acknowledged |",
);
say("|---|---|---|---|---|---|---|---|---|");
for (const qos of [0, 1]) {
  for (const frozen of [0, 1]) {
    const some = runs.filter((run) => run.qos === qos && run.frozen === frozen);
    const cell = (key) => number(median(some.map((run) => run[key])));
    const most = (key) => number(Math.max(...some.map((run) => run[key])));
    const acknowledgement = qos === 0 ? "–" : most("longestAcknowledgement");
    say(
      `| ${qos} | ${frozen} | ${cell("rate")} | ${cell("p50")} | ${cell("p99")} | ${acknowledgement} | ${cell("cpuPerMessage")} | ${most("lost")} | ${most("unacknowledged")} |`,
    );
  }
}
