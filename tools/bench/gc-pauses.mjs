// Pauses of WrenMQ's garbage collector under full load with many connections.
//   node tools/bench/gc-pauses.mjs [--connections 10000] [--duration 10] [--qos 0,1]
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { load, RunningBroker } from "./src/brokers.mjs";
import { number } from "./src/report.mjs";

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "10000" },
    duration: { type: "string", default: "10" },
    qos: { type: "string", default: "0,1" },
  },
});
const observer = new URL("src/gc-observer.mjs", import.meta.url).href;
const say = (line) => process.stdout.write(`${line}\n`);
const pairs = Number(values.connections) / 2;
const duration = Number(values.duration);
const warmup = 5;

async function measure(qos) {
  const dir = mkdtempSync(join(tmpdir(), "bench-"));
  const file = join(dir, "gc.json");
  const env = { NODE_OPTIONS: `--import ${observer}`, BENCH_GC_FILE: file };
  const broker = await RunningBroker.start("wrenmq", { env, pin: false });
  try {
    // Every pair has one message or a few under way: all connections are busy.
    const window = 4;
    const options = { kind: "pairs", version: 4, qos, size: 64, pairs, window, warmup, duration };
    const figures = await load({ ...options, port: broker.port, pid: broker.pid, signal: "SIGUSR2" });
    const end = performance.now() + 5_000;
    while (!existsSync(file) && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 50));
    return { figures, pauses: JSON.parse(readFileSync(file, "utf8")) };
  } finally {
    await broker.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

say("| QoS | messages/s | kind | pauses | share of the time | median, ms | longest, ms |");
say("|---|---|---|---|---|---|---|");
for (const qos of values.qos.split(",").map(Number)) {
  const { figures, pauses } = await measure(qos);
  if (figures.failed !== undefined) throw new Error(figures.failed);
  for (const kind of [...new Set(pauses.map((pause) => pause.kind))]) {
    const durations = pauses.filter((pause) => pause.kind === kind).map((pause) => pause.duration);
    durations.sort((a, b) => a - b);
    const share = (durations.reduce((sum, one) => sum + one, 0) / (duration * 10)).toFixed(2);
    const [middle, longest] = [durations[durations.length >> 1], durations.at(-1)];
    say(
      `| ${qos} | ${number(figures.rate)} | ${kind} | ${durations.length} | ${share} % | ${number(middle)} | ${number(longest)} |`,
    );
  }
}
