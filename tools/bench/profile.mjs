// Where WrenMQ's time goes, function by function, or where its heap bytes come from.
//   node tools/bench/profile.mjs [--scenario pairs-q0] [--broker wrenmq] [--top 25]
//   node tools/bench/profile.mjs --allocations 0|1        (heap bytes per message of that QoS, by function)
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { allocationSites } from "./budget/measure.mjs";
import { load, RunningBroker } from "./src/brokers.mjs";
import { scenarios } from "./src/scenarios.mjs";

const { values } = parseArgs({
  options: {
    scenario: { type: "string", default: "pairs-q0" },
    broker: { type: "string", default: "wrenmq" },
    allocations: { type: "string" },
    top: { type: "string", default: "25" },
  },
});
const top = Number(values.top);
const say = (line) => process.stdout.write(`${line}\n`);

/** Function names with their share of the samples of all processes, most first. */
function shares(profiles) {
  const sums = new Map();
  let total = 0;
  for (const { nodes, samples, timeDeltas } of profiles) {
    const byId = new Map(nodes.map((node) => [node.id, node.callFrame]));
    samples.forEach((id, i) => {
      const { functionName, url } = byId.get(id);
      // The profiler itself: a native function called dispatch.
      if (functionName === "(idle)" || (functionName === "dispatch" && url === "")) return;
      const place = url.split("/").slice(-4).join("/");
      const name = `${functionName || "(anonymous)"} ${place}`.trim();
      sums.set(name, (sums.get(name) ?? 0) + timeDeltas[i]);
      total += timeDeltas[i];
    });
  }
  return [...sums].sort((a, b) => b[1] - a[1]).map(([name, time]) => [name, (100 * time) / total]);
}

if (values.allocations !== undefined) {
  for (const [name, bytes] of (await allocationSites(Number(values.allocations))).slice(0, top)) {
    say(`${bytes.toFixed(1).padStart(7)} B  ${name}`);
  }
  process.exit();
}
const dir = mkdtempSync(join(tmpdir(), "bench-"));
const files = () => readdirSync(dir).map((name) => join(dir, name));
const profiler = new URL("src/cpu-profiler.mjs", import.meta.url).href;
const env = { NODE_OPTIONS: `--import ${profiler}`, BENCH_PROFILES: dir };
const broker = await RunningBroker.start(values.broker, { env, pin: !values.broker.includes("workers") });
try {
  const times = { warmup: 2, duration: 5, signal: "SIGUSR2" };
  const figures = await load({ ...scenarios[values.scenario].load, ...times, port: broker.port, pid: broker.pid });
  say(`${values.scenario}: ${figures.cpuPerMessage?.toFixed(2)} µs per message while profiled`);
  const isUnfinished = () => files().some((file) => file.endsWith(".new") || statSync(file).size === 0);
  for (let n = 0; n < 100 && isUnfinished(); n++) await new Promise((resolve) => setTimeout(resolve, 100));
  const profiles = files().map((file) => JSON.parse(readFileSync(file, "utf8")));
  for (const [name, share] of shares(profiles).slice(0, top)) {
    say(`${share.toFixed(1).padStart(5)} %  ${name}`);
  }
} finally {
  await broker.stop();
  rmSync(dir, { recursive: true, force: true });
}
