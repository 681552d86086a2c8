// `pnpm crash --cluster`: a run, and one line with its verdict.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runCluster } from "./run-cluster.ts";

export interface ReportOptions {
  readonly program: string;
  /** Default 20. */
  readonly kills: number | undefined;
  readonly seed: number;
  readonly qos: "1" | "2" | "both";
  readonly servers: number;
  readonly replicas: number;
  /** A pattern for the names of events. */
  readonly only: string | undefined;
  readonly debug: boolean;
}

export async function hurtCluster({ kills = 20, only, debug, ...options }: ReportOptions): Promise<0 | 1> {
  const { seed, qos, servers, replicas } = options;
  const keeps = replicas === 0 ? "sessions in RAM" : `${replicas} replicas`;
  const name = `seed ${seed}, cluster of 3 and ${servers} NATS servers, ${kills} events, QoS ${qos}, ${keeps}`;
  const folder = await mkdtemp(join(tmpdir(), "wrenmq-crash-"));
  process.stdout.write(`${name}: begins\n`);
  const began = Date.now();
  try {
    const result = await runCluster({
      ...options,
      kills,
      ...(only === undefined ? {} : { only: new RegExp(only) }),
      log: debug ? join(folder, "members.log") : undefined,
      onEvent(event, count) {
        if (debug) process.stdout.write(`  ${Math.round((Date.now() - began) / 1000)} s: ${event}\n`);
        else if (count > 0 && count % 50 === 0) process.stdout.write(`  ${count} events\n`);
      },
    });
    const { problems, story, events, acknowledged, delivered, redelivered, longestPause, hadPartitions } = result;
    if (!hadPartitions) process.stdout.write("  notice: network namespaces are not permitted: nobody was cut off\n");
    if (debug) await writeFile(join(folder, "clients.log"), story.map((line) => `${line}\n`).join(""));
    if (debug && result.state !== undefined) await writeFile(join(folder, "members.json"), result.state);
    for (const problem of problems) process.stdout.write(`  ${problem}\n`);
    for (const [event, times] of events) process.stdout.write(`  ${times} × ${event}\n`);
    const numbers = `${acknowledged} acknowledged, ${delivered} delivered (${redelivered} again) in ${Math.round((Date.now() - began) / 1000)} s, longest pause ${longestPause} ms`;
    if (problems.length === 0) {
      process.stdout.write(`OK: ${name}: nothing lost; ${numbers}\n`);
      if (!debug) await rm(folder, { recursive: true, force: true });
      return 0;
    }
    process.stdout.write(`FAILED: ${name}: ${problems.length} problems; ${numbers}${debug ? `; see ${folder}` : ""}\n`);
  } catch (error) {
    process.stdout.write(`FAILED: ${name}: ${String(error)}\n`);
  }
  return 1;
}
