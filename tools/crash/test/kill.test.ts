import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, onTestFinished, test } from "vitest";
import { BrokerProcess } from "../src/brokers/broker-process.ts";
import { checkData } from "../src/check-folder.ts";
import { run } from "../src/run.ts";

test.each([
  { durability: "batch", kills: 6, seed: 1, workers: 1 },
  { durability: "fsync", kills: 2, seed: 2, workers: 1 },
  { durability: "batch", kills: 6, seed: 3, workers: 2 },
] as const)(
  "nothing acknowledged is lost in $kills kills at level $durability with $workers processes",
  { timeout: 180_000 },
  async (given) => {
    const { durability, kills, seed, workers } = given;
    const folder = await mkdtemp(join(tmpdir(), "wrenmq-kill-"));
    const data = join(folder, "data");
    const program = inject("wrenmq");
    const broker = new BrokerProcess({ program, data, durability, workers });
    onTestFinished(async () => {
      await broker.crash();
      await rm(folder, { recursive: true, force: true });
    });
    const { problems, acknowledged } = await run({ broker, kills, seed, qos: "both", workers });
    expect(problems).toEqual([]);
    expect(acknowledged).toBeGreaterThan(0);
    expect(await checkData(program, data, folder)).toEqual([]);
  },
);
