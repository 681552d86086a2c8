// The command: reads its arguments and prints one line with the result.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BrokerProcess } from "./brokers/broker-process.ts";
import { checkData } from "./check-folder.ts";
import { hurtCluster } from "./cluster/report.ts";
import { run } from "./run.ts";
import { simulate } from "./simulation/simulate.ts";

const USAGE = `Kills a broker under load and checks that nothing it acknowledged is lost.
  --kills N           how often (default 20)
  --seed S            repeat the choices of an earlier run
  --qos 1|2|both      of the messages (default both)
  --durability LEVEL  batch (default) or fsync
  --workers N         worker processes (default 1); some of the kills end one of them while the others go on
  --simulate N        N runs on brokers in this process, under a simulated clock; each has a seed of its own, from S on,
                      and 6 kills and 2 or 3 brokers where --kills and --workers do not say otherwise
  --power             with --simulate: the disk is late, and loses what it has not written when all brokers end
  --cluster           three members of a cluster and three NATS servers: at each step one of them is killed, stopped, drained,
                      or, where network namespaces are permitted, cut off
  --replicas N        with --cluster: of what the members keep (default 0: sessions are in RAM, and end with their member)
  --servers 1|3       with --cluster: NATS servers (default 3)
  --only PATTERN      with --cluster: events that may happen, such as "NATS" or "kill a member"
  --debug             keep what the broker says, and when clients come and go; with --simulate: print that
  --program FILE      another wrenmq.js than the one made of the sources
`;

/** @returns the exit code: 0: nothing lost; 1: something was; 2: wrong usage */
export async function main(words: readonly string[], ownProgram: string): Promise<number> {
  const options = parse(words);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  if (options.cluster) return await hurtCluster({ ...options, program: options.program ?? ownProgram });
  if (options.simulations > 0) return await simulateMany(options);
  const { kills = 20, seed, qos, durability, workers = 1, program, debug } = options;
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-"));
  const data = join(folder, "data");
  const several = workers > 1 ? `, ${workers} workers` : "";
  const name = `seed ${seed}, ${kills} kills, QoS ${qos}, ${durability}${several}`;
  process.stdout.write(`${name}: begins\n`);
  const log = debug ? join(folder, "broker.log") : undefined;
  const broker = new BrokerProcess({ program: program ?? ownProgram, data, durability, workers, log });
  const began = Date.now();
  try {
    const onKill = (killed: number): void => {
      if (killed % 50 === 0) process.stdout.write(`  ${killed} kills\n`);
    };
    const result = await run({ broker, kills, seed, qos, workers, onKill });
    const problems = [...result.problems, ...(await checkData(program ?? ownProgram, data, folder))];
    if (debug) await writeFile(join(folder, "clients.log"), result.story.map((line) => `${line}\n`).join(""));
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    const { acknowledged, delivered, redelivered, workerKills, stops, slowestStart } = result;
    const ofOne = workers > 1 ? ` (${workerKills} of one worker)` : "";
    const numbers = `${result.kills} kills${ofOne} and ${stops} stops in ${Math.round((Date.now() - began) / 1000)} s, ${acknowledged} acknowledged, ${delivered} delivered (${redelivered} again), slowest start ${slowestStart} ms`;
    if (problems.length === 0) {
      process.stdout.write(`OK: ${name}: nothing lost; ${numbers}\n`);
      await rm(folder, { recursive: true, force: true });
      return 0;
    }
    process.stdout.write(`FAILED: ${name}: ${problems.length} problems; ${numbers}; the store is in ${data}\n`);
  } catch (error) {
    await broker.crash();
    process.stdout.write(`FAILED: ${name}: ${String(error)}; the store is in ${data}\n`);
  }
  return 1;
}

async function simulateMany({
  simulations,
  seed: first,
  kills = 6,
  workers,
  powerFails,
  debug,
}: Options): Promise<0 | 1> {
  const failed: number[] = [];
  const sum = { kills: 0, acknowledged: 0, delivered: 0 };
  for (let seed = first; seed < first + simulations; seed++) {
    const result = await simulate({ seed, kills, workers, powerFails });
    for (const problem of result.problems) process.stdout.write(`  seed ${seed}: ${problem}\n`);
    if (result.problems.length > 0) failed.push(seed);
    if (debug) for (const line of result.story) process.stdout.write(`    ${line}\n`);
    sum.kills += result.kills;
    sum.acknowledged += result.acknowledged;
    sum.delivered += result.delivered;
  }
  const name = `${simulations} simulations from seed ${first}${powerFails ? ", the power fails" : ""}`;
  const numbers = `${sum.kills} kills, ${sum.acknowledged} acknowledged, ${sum.delivered} delivered`;
  const verdict = failed.length === 0 ? "OK" : "FAILED";
  process.stdout.write(`${verdict}: ${name}: ${failed.length} with problems; ${numbers}\n`);
  return failed.length === 0 ? 0 : 1;
}

type Options = NonNullable<ReturnType<typeof parse>>;

function parse(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: words.filter((word) => word !== "--"),
      options: {
        kills: { type: "string" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        qos: { type: "string", default: "both" },
        durability: { type: "string", default: "batch" },
        workers: { type: "string" },
        simulate: { type: "string", default: "0" },
        power: { type: "boolean", default: false },
        cluster: { type: "boolean", default: false },
        replicas: { type: "string", default: "0" },
        servers: { type: "string", default: "3" },
        only: { type: "string" },
        program: { type: "string" },
        debug: { type: "boolean", default: false },
      },
    });
    const { qos, durability, program, debug, power: powerFails, cluster, only } = values;
    const [seed, simulations, replicas, servers] = [values.seed, values.simulate, values.replicas, values.servers].map(
      Number,
    ) as [number, number, number, number];
    const kills = values.kills === undefined ? undefined : Number(values.kills);
    const workers = values.workers === undefined ? undefined : Number(values.workers);
    if (![seed, simulations, replicas, kills ?? 0, workers ?? 0].every(Number.isInteger)) return undefined;
    if (simulations < 0 || (kills ?? 0) < 0 || (workers ?? 1) < 1 || (workers ?? 1) > 64) return undefined;
    if (replicas < 0 || (servers !== 1 && servers !== 3)) return undefined;
    if (qos !== "1" && qos !== "2" && qos !== "both") return undefined;
    if (durability !== "batch" && durability !== "fsync") return undefined;
    const single = { durability, workers, simulations, powerFails } as const;
    return { kills, seed, qos, program, debug, cluster, replicas, servers, only, ...single } as const;
  } catch {
    return undefined;
  }
}
