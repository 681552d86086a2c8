// `pnpm bench`: WrenMQ and the brokers that are installed, side by side. The main figure is the CPU time that a broker
// needs for a delivered message: on a machine with other work it moves far less than messages per second do.
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { brokers, canPin, isInstalled, load, RunningBroker } from "./src/brokers.mjs";
import { hasProc } from "./src/processes.mjs";
import { report } from "./src/report.mjs";
import { scenarios, usualBrokers } from "./src/scenarios.mjs";

const HELP = `node tools/bench/run.mjs [options]        (build first: pnpm build)

  --scenarios A,B   of: ${Object.keys(scenarios).join(", ")}
  --peers A,B       of: ${Object.keys(brokers).join(", ")}
                    default: those of the scenario, or ${usualBrokers.join(", ")}; what is not installed is left out
  --reps N          repetitions, interleaved: each goes through all scenarios and brokers (3)
  --duration S      seconds that are measured (3)
  --warmup S        seconds before them (1)
  --pause S         seconds between two runs (0)
  --json FILE       write the figures of every run there
  --no-pin          do not give broker and generator a core each
`;

const { values } = parseArgs({
  options: {
    scenarios: { type: "string", default: Object.keys(scenarios).join(",") },
    peers: { type: "string" },
    reps: { type: "string", default: "3" },
    duration: { type: "string", default: "3" },
    warmup: { type: "string", default: "1" },
    pause: { type: "string", default: "0" },
    json: { type: "string" },
    "no-pin": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const say = (line) => process.stderr.write(`${line}\n`);
const list = (word, known, what) => {
  const names = word.split(",").filter((name) => name !== "");
  const strange = names.find((name) => !(name in known));
  if (strange === undefined) return names;
  say(`no such ${what}: ${strange}\n\n${HELP}`);
  process.exit(64);
};

function takesPart(name, id) {
  const { lacks = [] } = brokers[name];
  return !lacks.some((word) => id.endsWith(word));
}

async function one(name, id, pin) {
  const { load: base, slow } = scenarios[id];
  let broker;
  try {
    broker = await RunningBroker.start(name, { pin, transport: base.transport });
  } catch (error) {
    return { failed: error.message };
  }
  try {
    await new Promise((resolve) => setTimeout(resolve, 300));
    const times = { warmup: Number(values.warmup), duration: Number(values.duration) };
    const target = { port: broker.port, pid: broker.pid };
    return await load({ ...base, ...slow?.[name.split(" ")[0]], ...times, ...target }, { pin });
  } finally {
    await broker.stop();
  }
}

if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}
const ids = list(values.scenarios, scenarios, "scenario");
const wanted = values.peers === undefined ? undefined : list(values.peers, brokers, "peer");
const pin = canPin && !values["no-pin"];
if (!hasProc)
  say("CPU time and memory of a broker are read from /proc, which is not here: there will be no such figures");
const absent = new Set();
const runs = [];
for (let repetition = 1; repetition <= Number(values.reps); repetition++) {
  for (const id of ids) {
    for (const name of wanted ?? scenarios[id].brokers ?? usualBrokers) {
      if (!takesPart(name, id) || absent.has(name)) continue;
      if (!isInstalled(name)) {
        say(`${name} is not installed`);
        absent.add(name);
        continue;
      }
      const figures = await one(name, id, pin);
      runs.push({ repetition, scenario: id, broker: name, figures });
      const { cpuPerMessage, rate, failed } = figures;
      say(
        `${repetition} ${id} ${name}: ${failed?.trim() ?? `${cpuPerMessage?.toFixed(2) ?? "?"} µs, ${Math.round(rate)}/s`}`,
      );
      await new Promise((resolve) => setTimeout(resolve, Number(values.pause) * 1000));
    }
  }
}
const [cpu] = cpus();
process.stdout.write(
  `Node ${process.version}, ${cpus().length} × ${cpu?.model.trim()}; ${values.reps} repetitions of ${values.duration} s, ` +
    `${pin ? "broker and generator on a core each" : "not pinned"}\n`,
);
process.stdout.write(report(runs));
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(runs, null, 1)}\n`);
