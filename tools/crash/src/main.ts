// The command: arguments in, one line with the verdict out.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BrokerProcess } from "./brokers/broker-process.ts";
import { checkFolder } from "./check-folder.ts";
import { run } from "./run.ts";

const USAGE = `Kills a broker under load and checks that nothing it acknowledged is lost.
  --kills N           how often (default 20)
  --seed S            repeat the choices of an earlier run
  --qos 1|2|both      of the messages (default both)
  --durability LEVEL  batch (default) or fsync
  --debug             keep what the broker and the clients with wills say
  --program FILE      another wrenmq.js than the one made of the sources
`;

/** @returns the exit code: 0 nothing lost, 1 something was, 2 called wrongly */
export async function main(words: readonly string[], ownProgram: string): Promise<number> {
  const options = parse(words);
  if (options === undefined) {
    process.stderr.write(USAGE);
    return 2;
  }
  const { kills, seed, qos, durability, program, debug } = options;
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-"));
  const data = join(folder, "data");
  const name = `seed ${seed}, ${kills} kills, QoS ${qos}, ${durability}`;
  process.stdout.write(`${name}: begins\n`);
  const log = debug ? join(folder, "broker.log") : undefined;
  const broker = new BrokerProcess({ program: program ?? ownProgram, data, durability, log });
  const began = Date.now();
  try {
    const onKill = (killed: number): void => {
      if (killed % 50 === 0) process.stdout.write(`  ${killed} kills\n`);
    };
    const result = await run({ broker, kills, seed, qos, onKill });
    const problems = [...result.problems, ...(await checkFolder(program ?? ownProgram, data, folder))];
    if (debug) await writeFile(join(folder, "clients.log"), result.story.map((line) => `${line}\n`).join(""));
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    const { acknowledged, delivered, redelivered, stops, slowestStart } = result;
    const numbers = `${result.kills} kills and ${stops} stops in ${Math.round((Date.now() - began) / 1000)} s, ${acknowledged} acknowledged, ${delivered} delivered (${redelivered} again), slowest start ${slowestStart} ms`;
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

function parse(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: words.filter((word) => word !== "--"),
      options: {
        kills: { type: "string", default: "20" },
        seed: { type: "string", default: String(Date.now() % 1_000_000) },
        qos: { type: "string", default: "both" },
        durability: { type: "string", default: "batch" },
        program: { type: "string" },
        debug: { type: "boolean", default: false },
      },
    });
    const [kills, seed] = [Number(values.kills), Number(values.seed)];
    const { qos, durability, program, debug } = values;
    if (!Number.isInteger(kills) || !Number.isInteger(seed) || kills < 0) return undefined;
    if (qos !== "1" && qos !== "2" && qos !== "both") return undefined;
    if (durability !== "batch" && durability !== "fsync") return undefined;
    return { kills, seed, qos, durability, program, debug } as const;
  } catch {
    return undefined;
  }
}
