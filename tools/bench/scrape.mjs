// What does it cost that somebody scrapes /metrics every 5 seconds? Broker CPU per message without and with it, in turn.
//   node tools/bench/scrape.mjs [--interval 5] [--duration 10] [--reps 5]        (build first: pnpm build)
import { parseArgs } from "node:util";
import { load, RunningBroker } from "./src/brokers.mjs";
import { median, number } from "./src/report.mjs";

const { values } = parseArgs({
  options: {
    interval: { type: "string", default: "5" },
    duration: { type: "string", default: "10" },
    reps: { type: "string", default: "5" },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);

/** The admin API opens after the listeners. */
async function untilReachable(port) {
  const end = performance.now() + 10_000;
  while (performance.now() < end) {
    const response = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("the admin API does not open");
}

async function measure(qos, isScraped) {
  const broker = await RunningBroker.start("wrenmq with metrics");
  let scrapes = 0;
  const scrape = async () => {
    const response = await fetch(`http://127.0.0.1:${broker.other}/metrics`);
    const text = await response.text();
    if (!response.ok || !text.includes("wrenmq_publish_latency_seconds_count")) throw new Error(text.slice(0, 200));
    scrapes++;
  };
  await untilReachable(broker.other);
  if (isScraped) await scrape();
  const timer = setInterval(() => isScraped && scrape(), Number(values.interval) * 1_000);
  try {
    const options = { kind: "pairs", version: 4, qos, size: 64, pairs: 100, window: 50, warmup: 2 };
    const figures = await load({
      ...options,
      duration: Number(values.duration),
      port: broker.port,
      pid: broker.pid,
    });
    if (figures.failed !== undefined) throw new Error(figures.failed);
    return { ...figures, scrapes };
  } finally {
    clearInterval(timer);
    await broker.stop();
  }
}

const runs = [];
for (let repetition = 0; repetition < Number(values.reps); repetition++) {
  for (const qos of [0, 1]) {
    // The other one first every second time.
    const turns = repetition % 2 === 0 ? [false, true] : [true, false];
    for (const isScraped of turns) runs.push({ qos, isScraped, ...(await measure(qos, isScraped)) });
  }
}
say("| QoS | /metrics | broker µs per message (all runs) | messages/s | scrapes |");
say("|---|---|---|---|---|");
for (const qos of [0, 1]) {
  for (const isScraped of [false, true]) {
    const some = runs.filter((run) => run.qos === qos && run.isScraped === isScraped);
    const costs = some.map((run) => run.cpuPerMessage).toSorted((one, other) => one - other);
    const cell = (key) => number(median(some.map((run) => run[key])));
    const all = costs.map((cost) => cost.toFixed(3)).join(", ");
    say(
      `| ${qos} | ${isScraped ? `every ${values.interval} s` : "not read"} | ${median(costs).toFixed(3)} (${all}) | ${cell("rate")} | ${cell("scrapes")} |`,
    );
  }
}
